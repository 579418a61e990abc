#include "learn/augment/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "data/still_augment.h"

namespace fer {
namespace {

using test::still_augment;

constexpr int kSide = 24;
constexpr int kPixels = kSide * kSide;

std::vector<std::uint8_t> random_crop(int channels) {
  Random random(7);
  std::vector<std::uint8_t> crop(static_cast<std::size_t>(channels) * kPixels);
  for (auto& pixel : crop) pixel = static_cast<std::uint8_t>(random.below(256));
  return crop;
}

/// Rises from left to right by `slope` a pixel.
std::vector<std::uint8_t> ramp(int slope) {
  std::vector<std::uint8_t> crop;
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) crop.push_back(static_cast<std::uint8_t>(20 + slope * x));
  return crop;
}

std::vector<float> view(const std::vector<std::uint8_t>& crop, const AugmentConfig& config,
                        std::uint64_t seed) {
  std::vector<float> out(crop.size(), -1.f);
  augment(crop, static_cast<int>(crop.size()) / kPixels, kSide, config, Random(seed), out);
  return out;
}

float at(const std::vector<float>& image, int x, int y) {
  return image[static_cast<std::size_t>(y * kSide + x)];
}

TEST(Augment, LeavesTheCropAloneWithoutRanges) {
  for (int channels : {1, 3}) {
    const auto crop = random_crop(channels);
    const auto out = view(crop, still_augment(), 3);
    for (std::size_t i = 0; i < crop.size(); ++i) ASSERT_NEAR(out[i], crop[i] / 255.f, 1e-5) << i;
  }
}

TEST(Augment, MirrorsLeftAndRight) {
  AugmentConfig config = still_augment();
  config.flip = 1;
  const auto crop = random_crop(1);
  const auto out = view(crop, config, 3);
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x)
      ASSERT_NEAR(at(out, x, y), crop[static_cast<std::size_t>(y * kSide + kSide - 1 - x)] / 255.f,
                  1e-4);
}

TEST(Augment, IsFixedByItsRandom) {
  const auto crop = random_crop(3);
  EXPECT_EQ(view(crop, {}, 11), view(crop, {}, 11));
  EXPECT_NE(view(crop, {}, 11), view(crop, {}, 12));
}

TEST(Augment, StaysInRangeHoweverFarItGoes) {
  AugmentConfig wild;
  wild.rotation = 180;
  wild.scale = wild.stretch = 1;
  wild.shift = 1;
  wild.gamma = wild.contrast = 2;
  wild.brightness = 1;
  wild.blur = wild.noise = wild.erase = 1;
  const auto crop = random_crop(1);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (float value : view(crop, wild, seed)) {
      ASSERT_GE(value, 0.f);
      ASSERT_LE(value, 1.f);
    }
  }
}

TEST(Augment, ShiftsByNoMoreThanItsShareOfTheSide) {
  AugmentConfig config = still_augment();
  config.shift = 0.1;
  constexpr int kSlope = 5;
  const auto crop = ramp(kSlope);
  float largest = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto out = view(crop, config, seed);
    const float moved = (at(out, 12, 12) * 255 - 20 - 12 * kSlope) / kSlope;
    // The same everywhere but near the border.
    EXPECT_NEAR(at(out, 8, 5) - at(out, 12, 12), -4 * kSlope / 255.f, 1e-4);
    largest = std::max(largest, std::abs(moved));
  }
  EXPECT_LE(largest, 0.1f * kSide + 1e-3f);
  EXPECT_GT(largest, 0.05f * kSide);
}

TEST(Augment, ZoomsAboutTheCentre) {
  AugmentConfig config = still_augment();
  config.scale = 0.2;
  constexpr int kSlope = 5;
  float smallest = 10, largest = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto out = view(ramp(kSlope), config, seed);
    EXPECT_NEAR((at(out, 11, 9) + at(out, 12, 9)) / 2, (20 + 11.5f * kSlope) / 255, 1e-4);
    const float slope = (at(out, 14, 12) - at(out, 9, 12)) / 5 * 255 / kSlope;
    smallest = std::min(smallest, slope);
    largest = std::max(largest, slope);
  }
  EXPECT_GE(smallest, std::exp(-0.2f) - 1e-3f);
  EXPECT_LE(largest, std::exp(0.2f) + 1e-3f);
  EXPECT_LT(smallest, 0.9f);
  EXPECT_GT(largest, 1.1f);
}

TEST(Augment, TurnsNoFurtherThanAsked) {
  AugmentConfig config = still_augment();
  config.rotation = 20;
  double largest = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    // The gradient of a ramp turns with it.
    const auto out = view(ramp(5), config, seed);
    const double gx = at(out, 14, 12) - at(out, 10, 12), gy = at(out, 12, 14) - at(out, 12, 10);
    largest = std::max(largest, std::abs(std::atan2(gy, gx)) * 180 / std::acos(-1.0));
    EXPECT_NEAR(std::hypot(gx, gy), 20 / 255.0, 1e-3);
  }
  EXPECT_LE(largest, 20.01);
  EXPECT_GT(largest, 12);
}

TEST(Augment, ChangesTheLightOfTheWholeCropAlike) {
  AugmentConfig config = still_augment();
  config.brightness = 0.2;
  const std::vector<std::uint8_t> grey(kPixels, 128);
  std::set<float> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto out = view(grey, config, seed);
    EXPECT_EQ(std::count(out.begin(), out.end(), out[0]), kPixels);
    EXPECT_NEAR(out[0], 128 / 255.f, 0.2f + 1e-5f);
    seen.insert(out[0]);
  }
  EXPECT_GT(seen.size(), 10u);
}

TEST(Augment, SpreadsContrastAboutTheMean) {
  AugmentConfig config = still_augment();
  config.contrast = 0.3;
  std::vector<std::uint8_t> crop(kPixels, 100);
  std::fill_n(crop.begin(), kPixels / 2, std::uint8_t{140});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto out = view(crop, config, seed);
    const float high = out.front(), low = out.back();
    EXPECT_NEAR((high + low) / 2, 120 / 255.f, 1e-4);
    EXPECT_GE((high - low) * 255 / 40, std::exp(-0.3f) - 1e-3f);
    EXPECT_LE((high - low) * 255 / 40, std::exp(0.3f) + 1e-3f);
  }
}

TEST(Augment, ErasesOneRectangle) {
  AugmentConfig config = still_augment();
  config.erase = 1;
  const auto crop = random_crop(1);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto out = view(crop, config, seed);
    int left = kSide, right = -1, top = kSide, bottom = -1;
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        if (std::abs(at(out, x, y) - crop[static_cast<std::size_t>(y * kSide + x)] / 255.f) < 1e-4f)
          continue;
        left = std::min(left, x);
        right = std::max(right, x);
        top = std::min(top, y);
        bottom = std::max(bottom, y);
      }
    }
    ASSERT_GE(right, left);
    const int area = (right - left + 1) * (bottom - top + 1);
    EXPECT_LE(area, 0.2 * kPixels);
    for (int y = top; y <= bottom; ++y)
      for (int x = left; x <= right; ++x) ASSERT_EQ(at(out, x, y), at(out, left, top));
  }
}

TEST(Augment, SoftensToBlocksOfFour) {
  AugmentConfig config = still_augment();
  config.blur = 1;
  const auto crop = random_crop(1);
  const auto out = view(crop, config, 1);
  for (int y = 0; y < kSide; y += 2) {
    for (int x = 0; x < kSide; x += 2) {
      float mean = 0;
      for (int i : {0, 1})
        for (int j : {0, 1})
          mean += crop[static_cast<std::size_t>((y + i) * kSide + x + j)] / 255.f / 4;
      for (int i : {0, 1})
        for (int j : {0, 1}) ASSERT_NEAR(at(out, x + j, y + i), mean, 1e-5);
    }
  }
}

TEST(Augment, AddsNoiseOfNoMoreThanItsStrength) {
  AugmentConfig config = still_augment();
  config.noise = 1;
  const std::vector<std::uint8_t> grey(kPixels, 128);
  double largest = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    double squares = 0, sum = 0;
    for (float value : view(grey, config, seed)) {
      const double error = value - 128 / 255.0;
      sum += error;
      squares += error * error;
    }
    const double deviation = std::sqrt(squares / kPixels);
    EXPECT_LT(std::abs(sum / kPixels), 0.2 * deviation + 1e-6);
    largest = std::max(largest, deviation);
  }
  EXPECT_LT(largest, 0.066);
  EXPECT_GT(largest, 0.03);
}

}  // namespace
}  // namespace fer
