#include "kernels/augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "util/random.h"

namespace fer::kernels {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr int kSide = 24;

std::vector<std::uint8_t> random_crops(int count, int channels) {
  std::mt19937 random(5);
  std::vector<std::uint8_t> crops(static_cast<std::size_t>(count * channels * kSide * kSide));
  for (auto& pixel : crops) pixel = static_cast<std::uint8_t>(random());
  return crops;
}

RandAugmentConfig still() {
  return {.flip = 0, .shift = 0, .operations = 0, .apply = 0, .strength = 0, .cutout = 0};
}

/// Both kinds of views of `crops`, fp32.
struct Views {
  std::vector<float> weak, strong;
  Augment augment;

  Views(const std::vector<std::uint8_t>& crops, int count, int channels) {
    weak.resize(static_cast<std::size_t>(count * channels * kSide * kSide));
    strong.resize(weak.size());
    augment.crops = crops.data();
    augment.count = count;
    augment.channels = channels;
    augment.side = kSide;
    augment.seed = 17;
    augment.strong.config = {};
    for (Batch* out : {&augment.weak.out, &augment.strong.out}) {
      out->channels = channels;
      out->height = out->width = kSide;
    }
  }
  void make() {
    augment.weak.out.data = weak.data();
    augment.strong.out.data = strong.data();
    kernels::augment(augment);
  }
};

TEST(Philox, IsThePapersGenerator) {
  // Known answers that the authors' Random123 publishes for 10 rounds.
  EXPECT_THAT(philox({{0, 0, 0, 0}}, 0).word,
              testing::ElementsAre(0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u));
  const std::uint32_t ones = 0xffffffffu;
  EXPECT_THAT(philox({{ones, ones, ones, ones}}, ~std::uint64_t{0}).word,
              testing::ElementsAre(0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu));
}

TEST(PhiloxRandom, IsEvenAndIndependentOfItsNeighbours) {
  double sum = 0, squares = 0, product = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    PhiloxRandom here(3, 1, static_cast<std::uint64_t>(i));
    PhiloxRandom next(3, 1, static_cast<std::uint64_t>(i + 1));
    const double a = here.uniform() - 0.5, b = next.uniform() - 0.5;
    sum += a;
    squares += a * a;
    product += a * b;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.004);
  EXPECT_NEAR(squares / kDraws, 1.0 / 12, 0.001);
  EXPECT_NEAR(product / kDraws, 0, 0.001);
}

TEST(Augment, GivesTheSameViewForTheSameSeedAndPosition) {
  for (const int channels : {1, 3}) {
    const auto crops = random_crops(6, channels);
    Views first(crops, 6, channels), again(crops, 6, channels), later(crops, 6, channels),
        other(crops, 6, channels);
    first.make();
    again.make();
    EXPECT_EQ(first.weak, again.weak);
    EXPECT_EQ(first.strong, again.strong);
    other.augment.seed = 18;
    other.make();
    EXPECT_NE(first.strong, other.strong);
    // Views 2 to 5 of a batch that begins two positions later.
    const std::vector<std::int64_t> rows{2, 3, 4, 5};
    later.augment.rows = rows.data();
    later.augment.count = 4;
    later.augment.position = 2;
    later.make();
    const auto face = first.weak.size() / 6;
    for (auto [a, b] : {std::pair(&first.weak, &later.weak), {&first.strong, &later.strong}}) {
      EXPECT_TRUE(
          std::equal(a->begin() + static_cast<std::ptrdiff_t>(2 * face), a->end(), b->begin()));
    }
  }
}

TEST(Augment, ChangesNothingAtNoStrength) {
  const auto crops = random_crops(3, 3);
  Views views(crops, 3, 3);
  views.augment.weak.config = still();
  views.augment.strong.config = still();
  // Drawn and carried out, but of no strength.
  views.augment.strong.config.operations = 0;
  views.augment.mean = 0.25f;
  views.augment.stddev = 0.5f;
  views.make();
  for (std::size_t i = 0; i < crops.size(); ++i) {
    ASSERT_NEAR(views.weak[i], (crops[i] / 255.f - 0.25f) / 0.5f, 1e-6);
    ASSERT_NEAR(views.strong[i], (crops[i] / 255.f - 0.25f) / 0.5f, 1e-6);
  }
}

TEST(Augment, LeavesMovesAndFactorsOfNoStrengthUnseen) {
  // All operations but those that have no strength (autocontrast, equalise).
  const auto crops = random_crops(1, 3);
  std::vector<float> before(crops.begin(), crops.end()), out(crops.size());
  for (int i = 0; i < kOperations; ++i) {
    const auto operation = static_cast<Operation>(i);
    if (operation == Operation::kAutocontrast || operation == Operation::kEqualise) continue;
    AugmentParams plan;
    plan.view.cx = plan.view.cy = (kSide - 1) / 2.0;
    if (moves_pixels(operation)) {
      plan.view = moved(plan.view, operation, 0, kSide);
    } else {
      plan.photometric_ops[plan.photometric_count++] = {operation, 1, 0};
    }
    apply_view(plan, crops.data(), 3, kSide, out);
    for (std::size_t k = 0; k < crops.size(); ++k)
      ASSERT_NEAR(out[k], crops[k] / 255.f, operation == Operation::kPosterise ? 1 / 255.f : 1e-6)
          << i;
  }
}

TEST(Augment, FlipsAndShiftsAsOftenAndAsFarAsAsked) {
  // The weak view of a ramp tells which way it is turned, and by its middle how far it is moved.
  std::vector<std::uint8_t> ramp(kSide * kSide);
  for (int i = 0; i < kSide * kSide; ++i)
    ramp[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(10 * (i % kSide));
  constexpr int kViews = 4000;
  Views views(ramp, kViews, 1);
  const std::vector<std::int64_t> rows(kViews, 0);
  views.augment.rows = rows.data();
  views.make();
  int flipped = 0;
  double sum = 0, squares = 0;
  for (int n = 0; n < kViews; ++n) {
    const float* row = views.weak.data() + (n * kSide + kSide / 2) * kSide;
    const float left = row[kSide / 2 - 1] * 25.5f, right = row[kSide / 2] * 25.5f;
    flipped += left > right;
    const double shift = (left + right) / 2 - (kSide - 1) / 2.0;
    sum += shift;
    squares += shift * shift;
    ASSERT_LE(std::abs(shift), 0.06 * kSide + 1e-4);
  }
  EXPECT_NEAR(flipped, kViews / 2, 4 * std::sqrt(kViews / 4.0));
  EXPECT_NEAR(sum / kViews, 0, 0.06);
  // Even between -a and a: variance a² / 3.
  EXPECT_NEAR(squares / kViews, std::pow(0.06 * kSide, 2) / 3, 0.05);
}

TEST(Augment, DrawsEveryOperationAlikeAndCarriesOutItsShare) {
  RandAugmentConfig config;
  config.cutout = 0;
  std::vector<int> seen(kOperations);
  int steps = 0, moved_views = 0;
  constexpr int kViews = 30000;
  for (int i = 0; i < kViews; ++i) {
    PhiloxRandom random(1, 1, static_cast<std::uint64_t>(i));
    const AugmentParams plan = draw_view(config, 3, kSide, random);
    for (int k = 0; k < plan.photometric_count; ++k)
      ++seen[static_cast<std::size_t>(plan.photometric_ops[k].operation)];
    steps += plan.photometric_count;
    moved_views += std::abs(plan.view.xx) != 1 || plan.view.xy != 0 || plan.view.yx != 0;
    EXPECT_LE(plan.right, plan.left);
  }
  // Two draws a view, half of them carried out, 14 operations.
  for (int i = 0; i < kOperations; ++i) {
    if (!moves_pixels(static_cast<Operation>(i))) {
      EXPECT_NEAR(seen[static_cast<std::size_t>(i)], kViews / 14.0, 200) << i;
    }
  }
  EXPECT_NEAR(steps, kViews * 9 / 14.0, 600);
  EXPECT_GT(moved_views, kViews / 10);
}

TEST(Augment, DrawsAsTheTrainersStrongViewDoes) {
  // Another source of random numbers, the same rules.
  RandAugmentConfig config;
  Random random(9);
  double strength = 0, cut = 0;
  constexpr int kViews = 20000;
  for (int i = 0; i < kViews; ++i) {
    const AugmentParams trainers = draw_view(config, 1, kSide, random);
    PhiloxRandom own(2, 1, static_cast<std::uint64_t>(i));
    const AugmentParams plan = draw_view(config, 1, kSide, own);
    for (const auto& [view, sign] : {std::pair(&trainers, 1), {&plan, -1}}) {
      for (int k = 0; k < view->photometric_count; ++k)
        strength += sign * view->photometric_ops[k].share;
      cut += sign * std::max(0, view->right - view->left) * std::max(0, view->bottom - view->top);
    }
  }
  EXPECT_NEAR(strength / kViews, 0, 0.02);
  EXPECT_NEAR(cut / kViews, 0, 2);
}

TEST(Augment, StaysInRange) {
  for (const int channels : {1, 3}) {
    const auto crops = random_crops(50, channels);
    Views views(crops, 50, channels);
    views.augment.strong.config.operations = 6;
    views.augment.strong.config.apply = 1;
    views.make();
    EXPECT_THAT(views.weak, Each(testing::AllOf(testing::Ge(0.f), testing::Le(1.f))));
    EXPECT_THAT(views.strong, Each(testing::AllOf(testing::Ge(0.f), testing::Le(1.f))));
  }
}

TEST(Augment, FillsHalvesAndOtherOrders) {
  const auto crops = random_crops(2, 3);
  Views views(crops, 2, 3);
  views.make();
  std::vector<std::uint16_t> halves(views.strong.size());
  views.augment.weak.out.data = nullptr;
  views.augment.strong.out.data = halves.data();
  views.augment.strong.out.order = Batch::kNhwc;
  views.augment.strong.out.type = Batch::kBf16;
  kernels::augment(views.augment);
  for (int n = 0; n < 2; ++n)
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < kSide * kSide; ++i) {
        const auto bits = static_cast<std::uint32_t>(
                              halves[static_cast<std::size_t>((n * kSide * kSide + i) * 3 + c)])
                          << 16;
        float value;
        std::memcpy(&value, &bits, sizeof value);
        ASSERT_NEAR(value, views.strong[static_cast<std::size_t>((n * 3 + c) * kSide * kSide + i)],
                    0.004);
      }
}

TEST(Augment, SaysWhatIsMissing) {
  const auto crops = random_crops(1, 1);
  const auto error_of = [&](auto change) -> std::string {
    Views views(crops, 1, 1);
    change(views.augment);
    try {
      views.make();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(error_of([](Augment&) {}), "");
  EXPECT_THAT(error_of([](Augment& a) { a.channels = 2; }), HasSubstr("found 2"));
  EXPECT_THAT(error_of([](Augment& a) { a.crops = nullptr; }), HasSubstr("crops"));
  EXPECT_THAT(error_of([](Augment& a) { a.strong.config.operations = 33; }), HasSubstr("found 33"));
  EXPECT_THAT(error_of([](Augment& a) { a.weak.out.width = 7; }), HasSubstr("shape"));
}

}  // namespace
}  // namespace fer::kernels
