#include "kernels/view_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/augment.h"
#include "util/random.h"

namespace fer {
namespace {

constexpr int kSide = 24;
constexpr int kPixels = kSide * kSide;

std::vector<std::uint8_t> random_crop(int channels) {
  Random random(5);
  std::vector<std::uint8_t> crop(static_cast<std::size_t>(channels * kPixels));
  for (auto& pixel : crop) pixel = static_cast<std::uint8_t>(random.below(256));
  return crop;
}

std::vector<float> view(const std::vector<std::uint8_t>& crop, const RandAugmentConfig& config,
                        std::uint64_t seed) {
  const int channels = static_cast<int>(crop.size()) / kPixels;
  Random random(seed);
  const kernels::AugmentParams plan = kernels::draw_view(config, channels, kSide, random);
  std::vector<float> out(crop.size());
  kernels::apply_view(plan, crop.data(), channels, kSide, out);
  return out;
}

RandAugmentConfig still() {
  RandAugmentConfig config;
  config.flip = config.shift = config.cutout = 0;
  config.operations = 0;
  return config;
}

TEST(RandAugment, LeavesTheCropAloneWhereNothingIsAsked) {
  for (int channels : {1, 3}) {
    const auto crop = random_crop(channels);
    const auto out = view(crop, still(), 3);
    for (std::size_t i = 0; i < crop.size(); ++i) ASSERT_NEAR(out[i], crop[i] / 255.f, 1e-5);
  }
}

TEST(RandAugment, IsFixedByItsRandom) {
  for (int channels : {1, 3}) {
    const auto crop = random_crop(channels);
    EXPECT_EQ(view(crop, {}, 11), view(crop, {}, 11));
    EXPECT_NE(view(crop, {}, 11), view(crop, {}, 12));
  }
}

TEST(RandAugment, StaysInRange) {
  RandAugmentConfig config;
  config.operations = 6;
  config.apply = 1;
  for (int channels : {1, 3}) {
    const auto crop = random_crop(channels);
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      for (float value : view(crop, config, seed)) {
        ASSERT_TRUE(std::isfinite(value));
        ASSERT_GE(value, 0.f);
        ASSERT_LE(value, 1.f);
      }
    }
  }
}

TEST(RandAugment, MirrorsLeftAndRight) {
  RandAugmentConfig config = still();
  config.flip = 1;
  const auto crop = random_crop(1);
  const auto out = view(crop, config, 3);
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x)
      ASSERT_NEAR(out[static_cast<std::size_t>(y * kSide + x)],
                  crop[static_cast<std::size_t>(y * kSide + kSide - 1 - x)] / 255.f, 1e-4);
}

TEST(RandAugment, GreysNoMoreThanASquareOfItsShare) {
  RandAugmentConfig config = still();
  config.cutout = 0.5;
  // No pixel is 0.5 by itself.
  const std::vector<std::uint8_t> crop(kPixels, 10);
  long largest = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto out = view(crop, config, seed);
    const long greyed = std::count(out.begin(), out.end(), 0.5f);
    EXPECT_EQ(greyed + std::count_if(out.begin(), out.end(),
                                     [](float v) { return std::abs(v - 10 / 255.f) < 1e-6f; }),
              kPixels);
    largest = std::max(largest, greyed);
  }
  EXPECT_LE(largest, kPixels / 4);
  EXPECT_GT(largest, kPixels / 8);
}

/// How far views go from the crop, as a mean over pixels and seeds.
double distance(const RandAugmentConfig& config) {
  std::vector<std::uint8_t> crop(kPixels);
  for (int i = 0; i < kPixels; ++i)
    crop[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(60 + 5 * (i % kSide) + (i / kSide) % 4 * 10);
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto out = view(crop, config, seed);
    for (std::size_t i = 0; i < crop.size(); ++i) sum += std::abs(out[i] - crop[i] / 255.f);
  }
  return sum / 200 / kPixels;
}

TEST(RandAugment, GoesFartherWithMoreOperationsAndMoreStrength) {
  RandAugmentConfig none = still(), one = still(), three = still(), weak = still();
  one.operations = 1;
  three.operations = weak.operations = 3;
  one.apply = three.apply = weak.apply = 1;
  weak.strength = 0.1;
  EXPECT_NEAR(distance(none), 0, 1e-5);
  EXPECT_GT(distance(one), 0.02);
  EXPECT_GT(distance(three), 1.3 * distance(one));
  EXPECT_GT(distance(three), 1.2 * distance(weak));
}

}  // namespace
}  // namespace fer
