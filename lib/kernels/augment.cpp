#include "kernels/augment.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "kernels/argument_checker.h"
#include "kernels/units.h"

namespace fer::kernels {
namespace {

/// What an operation must know of a plane; `below` keeps the levels.
PhotometricStats stats_of(const PhotometricOp& step, std::span<const float> plane,
                          std::array<int, kLevels>& below) {
  PhotometricStats stats;
  if (step.operation == Operation::kAutocontrast) {
    const auto [low, high] = std::minmax_element(plane.begin(), plane.end());
    stats.low = *low;
    stats.high = *high;
  } else if (step.operation == Operation::kEqualise) {
    below.fill(0);
    for (const float value : plane) ++below[static_cast<std::size_t>(level_of(value))];
    int sum = 0;
    for (int& count : below) {
      if (count > 0) stats.last = count;
      const int here = count;
      count = sum;
      sum += here;
    }
    stats.below = below.data();
    stats.pixels = sum;
  }
  return stats;
}

void sharpen(std::span<float> plane, int side, float factor) {
  const std::vector<float> before(plane.begin(), plane.end());
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      plane[static_cast<std::size_t>(y * side + x)] = sharpened(before.data(), side, x, y, factor);
}

float mean_of(std::span<const float> planes) {
  unsigned long long sum = 0;
  for (const float value : planes) sum += to_units(value);
  return static_cast<float>(from_units(sum) / static_cast<double>(planes.size()));
}

void apply_photometric_op(std::span<float> planes, int channels, int side,
                          const PhotometricOp& step) {
  const auto size = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  if (step.operation == Operation::kSaturation) {
    for (std::size_t i = 0; i < size; ++i)
      saturate(planes[i], planes[size + i], planes[2 * size + i], step.factor);
    return;
  }
  const float mean = step.operation == Operation::kContrast ? mean_of(planes) : 0;
  std::array<int, kLevels> below;
  for (int c = 0; c < channels; ++c) {
    const std::span<float> plane = planes.subspan(static_cast<std::size_t>(c) * size, size);
    if (step.operation == Operation::kSharpness) {
      sharpen(plane, side, step.factor);
      continue;
    }
    PhotometricStats stats = stats_of(step, plane, below);
    stats.mean = mean;
    for (float& value : plane) value = apply_photometric(step, stats, value);
  }
}

}  // namespace

void apply_view(const AugmentParams& plan, const std::uint8_t* crop, int channels, int side,
                std::span<float> out) {
  const int size = side * side;
  for (int c = 0; c < channels; ++c) {
    float* to = out.data() + c * size;
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x)
        *to++ = seen_at(crop + c * size, side, plan.view, x, y) * kByte;
  }
  for (int i = 0; i < plan.photometric_count; ++i)
    apply_photometric_op(out, channels, side, plan.photometric_ops[i]);
  for (int c = 0; c < channels; ++c)
    for (int y = plan.top; y < plan.bottom; ++y)
      for (int x = plan.left; x < plan.right; ++x)
        out[static_cast<std::size_t>(c * size + y * side + x)] = kCutOut;
}

void check(const Augment& a) {
  const ArgumentChecker require{"augment"};
  require(a.count >= 0, "no negative number of crops");
  require(a.channels == 1 || a.channels == 3,
          "1 channel or 3, found " + std::to_string(a.channels));
  require(a.side > 0, "crops with pixels");
  require(a.stddev > 0, "a positive standard deviation");
  require(a.count == 0 || a.crops, "crops");
  for (const Augment::View* view : {&a.weak, &a.strong}) {
    if (!view->out.data) continue;
    require(view->config.operations >= 0 && view->config.operations <= kMaxOperations,
            "0 to " + std::to_string(kMaxOperations) + " operations, found " +
                std::to_string(view->config.operations));
    require(
        view->out.channels == a.channels && view->out.height == a.side && view->out.width == a.side,
        "views of the crops' shape");
  }
}

void augment(const Augment& a) {
  check(a);
  const Normaliser normalised(1, a.mean, a.stddev);
  std::vector<float> view(static_cast<std::size_t>(a.channels * a.side * a.side));
  for (int stream = 0; stream < 2; ++stream) {
    const Augment::View& to = stream == 0 ? a.weak : a.strong;
    if (!to.out.data) continue;
    for (int n = 0; n < a.count; ++n) {
      PhiloxRandom random = random_of(a, stream, n);
      const AugmentParams plan = draw_view(to.config, a.channels, a.side, random);
      apply_view(plan, crop_of(a, n), a.channels, a.side, view);
      std::size_t i = 0;
      for (int c = 0; c < a.channels; ++c)
        for (int y = 0; y < a.side; ++y)
          for (int x = 0; x < a.side; ++x)
            store(to.out, index_in(to.out, static_cast<std::size_t>(n), c, y, x),
                  normalised(view[i++]));
    }
  }
}

}  // namespace fer::kernels
