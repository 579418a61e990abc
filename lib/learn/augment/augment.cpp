#include "learn/augment/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "learn/augment/warp.h"

namespace fer {
namespace {

double log_uniform(Random& random, double range) {
  return std::exp(random.uniform(-range, range));
}

/// Averages 2x2 pixels and keeps the size: like a distant or compressed face.
void soften(float* plane, int side) {
  for (int y = 0; y + 1 < side; y += 2) {
    for (int x = 0; x + 1 < side; x += 2) {
      float* p = plane + y * side + x;
      p[0] = p[1] = p[side] = p[side + 1] = (p[0] + p[1] + p[side] + p[side + 1]) / 4;
    }
  }
}

}  // namespace

DrawnView draw_view(const AugmentConfig& config, int channels, int side, Random random) {
  DrawnView view;
  // Turn, zoom, stretch and mirror about the centre, then shift.
  const double angle = random.uniform(-config.rotation, config.rotation) * std::numbers::pi / 180;
  const double zoom = log_uniform(random, config.scale);
  const double stretch = log_uniform(random, config.stretch);
  const double sign = random.chance(config.flip) ? -1 : 1;
  view.from.xx = sign * std::cos(angle) * zoom * stretch;
  view.from.xy = -std::sin(angle) * zoom / stretch;
  view.from.yx = sign * std::sin(angle) * zoom * stretch;
  view.from.yy = std::cos(angle) * zoom / stretch;
  const double centre = (side - 1) / 2.0;
  view.from.cx = centre + random.uniform(-config.shift, config.shift) * side;
  view.from.cy = centre + random.uniform(-config.shift, config.shift) * side;
  view.gamma = log_uniform(random, config.gamma);
  view.contrast = log_uniform(random, config.contrast);
  view.brightness = random.uniform(-config.brightness, config.brightness);
  view.soft = random.chance(config.blur);
  if (random.chance(config.noise)) {
    const double strength = random.uniform(0, 0.06);
    view.noise.resize(static_cast<std::size_t>(channels * side * side));
    for (float& value : view.noise) {
      // The sum of four uniforms is near enough to a Gaussian.
      const double n =
          random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2;
      value = static_cast<float>(strength * 1.73 * n);
    }
  }
  if (random.chance(config.erase)) {
    // Zhong et al. 2020, "Random Erasing Data Augmentation".
    const double area = random.uniform(0.02, 0.2) * side * side;
    const double aspect = log_uniform(random, std::log(3.0));
    const int w = std::clamp(static_cast<int>(std::sqrt(area * aspect)), 1, side);
    const int h = std::clamp(static_cast<int>(std::sqrt(area / aspect)), 1, side);
    view.left = static_cast<int>(random.below(static_cast<std::uint64_t>(side - w + 1)));
    view.top = static_cast<int>(random.below(static_cast<std::uint64_t>(side - h + 1)));
    view.right = view.left + w;
    view.bottom = view.top + h;
    view.fill = static_cast<float>(random.uniform());
  }
  return view;
}

void show_view(std::span<const std::uint8_t> crop, int channels, int side, const DrawnView& view,
               std::span<float> out) {
  // Gamma, contrast and brightness act on 256 values, so that one table holds the whole curve.
  const double mean =
      std::accumulate(crop.begin(), crop.end(), 0.0) / static_cast<double>(crop.size()) / 255;
  const double bent_mean = std::pow(mean, view.gamma);
  std::array<float, 257> light;
  for (int i = 0; i < 257; ++i) {
    const double v = std::pow(std::min(i, 255) / 255.0, view.gamma);
    light[i] = static_cast<float>((v - bent_mean) * view.contrast + bent_mean + view.brightness);
  }

  const int plane_size = side * side;
  for (int c = 0; c < channels; ++c) {
    float* to = out.data() + c * plane_size;
    warp(crop.data() + c * plane_size, side, view.from, to);
    for (int i = 0; i < plane_size; ++i) {
      const int step = static_cast<int>(to[i]);
      to[i] = light[step] + (to[i] - static_cast<float>(step)) * (light[step + 1] - light[step]);
    }
    if (view.soft) soften(to, side);
  }
  for (std::size_t i = 0; i < view.noise.size(); ++i) out[i] += view.noise[i];
  for (int c = 0; c < channels; ++c) {
    for (int y = view.top; y < view.bottom; ++y) {
      float* row = out.data() + c * plane_size + y * side;
      std::fill(row + view.left, row + view.right, view.fill);
    }
  }
  for (float& value : out) value = std::clamp(value, 0.f, 1.f);
}

}  // namespace fer
