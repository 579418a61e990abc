#include "learn/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "learn/warp.h"

namespace fer {
namespace {

double log_uniform(Random& random, double range) {
  return std::exp(random.uniform(-range, range));
}

/// Means over 2x2 pixels, shown at full size again: what a distant or compressed face looks like.
void soften(float* plane, int side) {
  for (int y = 0; y + 1 < side; y += 2) {
    for (int x = 0; x + 1 < side; x += 2) {
      float* p = plane + y * side + x;
      p[0] = p[1] = p[side] = p[side + 1] = (p[0] + p[1] + p[side] + p[side + 1]) / 4;
    }
  }
}

}  // namespace

void augment(std::span<const std::uint8_t> crop, int channels, int side,
             const AugmentConfig& config, Random random, std::span<float> out) {
  // Where an output pixel comes from: turn, zoom, stretch and mirror about the centre, then shift.
  const double angle = random.uniform(-config.rotation, config.rotation) * std::numbers::pi / 180;
  const double zoom = log_uniform(random, config.scale);
  const double stretch = log_uniform(random, config.stretch);
  const double sign = random.chance(config.flip) ? -1 : 1;
  Affine view;
  view.xx = sign * std::cos(angle) * zoom * stretch;
  view.xy = -std::sin(angle) * zoom / stretch;
  view.yx = sign * std::sin(angle) * zoom * stretch;
  view.yy = std::cos(angle) * zoom / stretch;
  const double centre = (side - 1) / 2.0;
  view.cx = centre + random.uniform(-config.shift, config.shift) * side;
  view.cy = centre + random.uniform(-config.shift, config.shift) * side;

  // Light: 256 inputs, so the whole curve is one table.
  const double gamma = log_uniform(random, config.gamma);
  const double contrast = log_uniform(random, config.contrast);
  const double brightness = random.uniform(-config.brightness, config.brightness);
  const double mean =
      std::accumulate(crop.begin(), crop.end(), 0.0) / static_cast<double>(crop.size()) / 255;
  const double bent_mean = std::pow(mean, gamma);
  std::array<float, 257> light;
  for (int i = 0; i < 257; ++i) {
    const double v = std::pow(std::min(i, 255) / 255.0, gamma);
    light[i] = static_cast<float>((v - bent_mean) * contrast + bent_mean + brightness);
  }

  const int plane_size = side * side;
  const bool soft = random.chance(config.blur);
  const bool noisy = random.chance(config.noise);
  const double noise = noisy ? random.uniform(0, 0.06) : 0;
  for (int c = 0; c < channels; ++c) {
    float* to = out.data() + c * plane_size;
    warp(crop.data() + c * plane_size, side, view, to);
    for (int i = 0; i < plane_size; ++i) {
      const int step = static_cast<int>(to[i]);
      to[i] = light[step] + (to[i] - static_cast<float>(step)) * (light[step + 1] - light[step]);
    }
    if (soft) soften(to, side);
  }
  if (noisy) {
    for (float& value : out) {
      // The sum of four uniforms is near enough to a Gaussian.
      const double n =
          random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2;
      value += static_cast<float>(noise * 1.73 * n);
    }
  }
  if (random.chance(config.erase)) {
    // Zhong et al. 2020, "Random Erasing Data Augmentation".
    const double area = random.uniform(0.02, 0.2) * plane_size;
    const double aspect = log_uniform(random, std::log(3.0));
    const int w = std::clamp(static_cast<int>(std::sqrt(area * aspect)), 1, side);
    const int h = std::clamp(static_cast<int>(std::sqrt(area / aspect)), 1, side);
    const int x0 = static_cast<int>(random.below(side - w + 1));
    const int y0 = static_cast<int>(random.below(side - h + 1));
    const auto value = static_cast<float>(random.uniform());
    for (int c = 0; c < channels; ++c)
      for (int y = y0; y < y0 + h; ++y)
        std::fill_n(out.data() + c * plane_size + y * side + x0, w, value);
  }
  for (float& value : out) value = std::clamp(value, 0.f, 1.f);
}

}  // namespace fer
