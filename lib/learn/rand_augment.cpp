#include "learn/rand_augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "learn/warp.h"

namespace fer {
namespace {

enum class Operation {
  kIdentity,
  kAutocontrast,
  kEqualise,
  kBrightness,
  kContrast,
  kSharpness,
  kPosterise,
  kSolarise,
  kTurn,
  kShearX,
  kShearY,
  kShiftX,
  kShiftY,
  kSaturation,  ///< Last, since grey crops have none.
};
constexpr int kOperations = static_cast<int>(Operation::kSaturation) + 1;

struct Step {
  Operation operation;
  double strength;  ///< In [-1, 1].
};

bool moves_pixels(Operation operation) {
  return operation >= Operation::kTurn && operation <= Operation::kShiftY;
}

/// `view` as seen through one more operation.
Affine moved(const Affine& view, const Step& step, int side) {
  const double s = step.strength;
  Affine m;
  switch (step.operation) {
    case Operation::kTurn: {
      const double angle = s * 30 * std::numbers::pi / 180;
      m = {std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle), 0, 0};
      break;
    }
    case Operation::kShearX:
      m.xy = 0.3 * s;
      break;
    case Operation::kShearY:
      m.yx = 0.3 * s;
      break;
    case Operation::kShiftX:
      m.cx = 0.3 * s * side;
      break;
    default:
      m.cy = 0.3 * s * side;
      break;
  }
  return {view.xx * m.xx + view.xy * m.yx,           view.xx * m.xy + view.xy * m.yy,
          view.yx * m.xx + view.yy * m.yx,           view.yx * m.xy + view.yy * m.yy,
          view.cx + view.xx * m.cx + view.xy * m.cy, view.cy + view.yx * m.cx + view.yy * m.cy};
}

float mean_of(std::span<const float> plane) {
  return std::accumulate(plane.begin(), plane.end(), 0.f) / static_cast<float>(plane.size());
}

/// The darkest pixel becomes 0, the brightest 1.
void autocontrast(std::span<float> plane) {
  const auto [low, high] = std::minmax_element(plane.begin(), plane.end());
  const float from = *low, range = *high - *low;
  if (range <= 1e-6f) return;
  for (float& value : plane) value = (value - from) / range;
}

/// Each of 256 levels becomes the share of pixels below it.
void equalise(std::span<float> plane) {
  const auto level = [](float value) {
    return static_cast<std::size_t>(std::clamp(value, 0.f, 1.f) * 255.f + 0.5f);
  };
  std::array<float, 256> below{};
  for (float value : plane) ++below[level(value)];
  const float last = below[level(*std::max_element(plane.begin(), plane.end()))];
  const float rest = static_cast<float>(plane.size()) - last;
  if (rest <= 0) return;
  float sum = 0;
  for (float& count : below) {
    const float here = count;
    count = sum / rest;
    sum += here;
  }
  for (float& value : plane) value = below[level(value)];
}

/// Away from (> 1) or towards (< 1) the mean over each pixel's neighbours, its own weight 5 of 13.
void sharpen(std::span<float> plane, int side, float factor) {
  const std::vector<float> before(plane.begin(), plane.end());
  for (int y = 1; y + 1 < side; ++y) {
    for (int x = 1; x + 1 < side; ++x) {
      float sum = 4 * before[static_cast<std::size_t>(y * side + x)];
      for (int dy : {-1, 0, 1})
        for (int dx : {-1, 0, 1}) sum += before[static_cast<std::size_t>((y + dy) * side + x + dx)];
      const float smooth = sum / 13;
      float& value = plane[static_cast<std::size_t>(y * side + x)];
      value = smooth + factor * (value - smooth);
    }
  }
}

/// What changes pixels where they are; factors reach from 0.05 to 1.95.
void change_light(std::span<float> planes, int channels, int side, const Step& step) {
  const auto size = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  const auto factor = static_cast<float>(1 + 0.95 * step.strength);
  const auto share = static_cast<float>(std::abs(step.strength));
  const auto each_plane = [&](const auto& change) {
    for (int c = 0; c < channels; ++c)
      change(planes.subspan(static_cast<std::size_t>(c) * size, size));
  };
  switch (step.operation) {
    case Operation::kAutocontrast:
      each_plane(autocontrast);
      break;
    case Operation::kEqualise:
      each_plane(equalise);
      break;
    case Operation::kBrightness:
      for (float& value : planes) value *= factor;
      break;
    case Operation::kContrast: {
      const float mean = mean_of(planes);
      for (float& value : planes) value = mean + factor * (value - mean);
      break;
    }
    case Operation::kSharpness:
      each_plane([&](std::span<float> plane) { sharpen(plane, side, factor); });
      break;
    case Operation::kPosterise: {
      // 8 bits at no strength, 4 at full strength.
      const auto levels = static_cast<float>(1 << (8 - static_cast<int>(share * 4 + 0.5f)));
      for (float& value : planes)
        value = std::floor(std::clamp(value, 0.f, 1.f) * 255.f / 256 * levels) / levels;
      break;
    }
    case Operation::kSolarise:
      for (float& value : planes)
        if (value > 1 - share) value = 1 - value;
      break;
    case Operation::kSaturation:
      for (std::size_t i = 0; i < size; ++i) {
        const float grey =
            0.299f * planes[i] + 0.587f * planes[size + i] + 0.114f * planes[2 * size + i];
        for (std::size_t c = 0; c < 3; ++c) {
          float& value = planes[c * size + i];
          value = grey + factor * (value - grey);
        }
      }
      break;
    default:
      break;
  }
  for (float& value : planes) value = std::clamp(value, 0.f, 1.f);
}

}  // namespace

void rand_augment(std::span<const std::uint8_t> crop, int channels, int side,
                  const RandAugmentConfig& config, Random random, std::span<float> out) {
  const int plane_size = side * side;
  Affine view;
  view.xx = random.chance(config.flip) ? -1 : 1;
  view.cx = (side - 1) / 2.0 + random.uniform(-config.shift, config.shift) * side;
  view.cy = (side - 1) / 2.0 + random.uniform(-config.shift, config.shift) * side;

  const auto choices = static_cast<std::uint64_t>(channels == 3 ? kOperations : kOperations - 1);
  std::vector<Step> steps;
  for (int i = 0; i < config.operations; ++i) {
    const auto operation = static_cast<Operation>(random.below(choices));
    const double strength = random.uniform(-config.strength, config.strength);
    if (random.chance(config.apply)) steps.push_back({operation, strength});
  }
  // What moves pixels goes into one look-up, so that they are blurred once.
  for (const Step& step : steps)
    if (moves_pixels(step.operation)) view = moved(view, step, side);
  for (int c = 0; c < channels; ++c)
    warp(crop.data() + c * plane_size, side, view, out.data() + c * plane_size);
  for (float& value : out) value /= 255.f;
  for (const Step& step : steps)
    if (!moves_pixels(step.operation)) change_light(out, channels, side, step);

  // Cutout (DeVries & Taylor 2017): the centre lies anywhere, so part of the square may lie
  // outside.
  const int square = static_cast<int>(std::lround(random.uniform(0, config.cutout) * side));
  const int x0 = static_cast<int>(random.below(static_cast<std::uint64_t>(side))) - square / 2;
  const int y0 = static_cast<int>(random.below(static_cast<std::uint64_t>(side))) - square / 2;
  const int left = std::max(0, x0), right = std::min(side, x0 + square);
  for (int c = 0; c < channels; ++c)
    for (int y = std::max(0, y0); y < std::min(side, y0 + square); ++y)
      std::fill(out.begin() + c * plane_size + y * side + left,
                out.begin() + c * plane_size + y * side + std::max(left, right), 0.5f);
}

}  // namespace fer
