#include "learn/data/resident_augment.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>

#include "learn/device/compute_device.h"

namespace fer {
namespace {

/// Numbers of a view, in the order of numbers_of().
enum Number {
  kXx,
  kXy,
  kYx,
  kYy,
  kCx,
  kCy,
  kGamma,
  kContrast,
  kBrightness,
  kSoft,
  kLeft,
  kTop,
  kRight,
  kBottom,
  kFill,
  kNumbers
};

std::array<double, kNumbers> numbers_of(const DrawnView& v) {
  const auto whole = [](int value) { return static_cast<double>(value); };
  return {v.from.xx,     v.from.xy,    v.from.yx,      v.from.yy,       v.from.cx,
          v.from.cy,     v.gamma,      v.contrast,     v.brightness,    v.soft ? 1.0 : 0.0,
          whole(v.left), whole(v.top), whole(v.right), whole(v.bottom), v.fill};
}

/// Averages 2 x 2 pixels and keeps the size; an odd last line stays.
torch::Tensor softened(const torch::Tensor& x) {
  const torch::Tensor halved = torch::avg_pool2d(x, 2);
  const std::int64_t height = 2 * halved.size(2), width = 2 * halved.size(3);
  torch::Tensor soft = x.clone();
  soft.narrow(2, 0, height)
      .narrow(3, 0, width)
      .copy_(torch::upsample_nearest2d(halved, {height, width}));
  return soft;
}

}  // namespace

torch::Tensor ResidentAugment::of(const std::vector<FaceRef>& faces,
                                  const std::vector<DrawnView>& views) const {
  torch::NoGradGuard no_grad;
  const auto count = static_cast<std::int64_t>(views.size());
  const torch::TensorOptions memory = host_memory(device_);
  torch::Tensor numbers = torch::empty({count, kNumbers}, memory);
  float* to = numbers.data_ptr<float>();
  std::vector<std::int64_t> noisy;
  for (std::size_t i = 0; i < views.size(); ++i) {
    for (const double number : numbers_of(views[i])) *to++ = static_cast<float>(number);
    if (!views[i].noise.empty()) noisy.push_back(static_cast<std::int64_t>(i));
  }
  numbers = numbers.to(device_, /*non_blocking=*/true);
  /// One number a view, to go with N x C x S x S or, with three dimensions, N x S x S.
  const auto number = [&](Number which, bool channels = true) {
    const torch::Tensor one = numbers.select(1, which);
    return channels ? one.view({-1, 1, 1, 1}) : one.view({-1, 1, 1});
  };

  const torch::Tensor crops = faces_.crops().index_select(0, faces_.rows(faces)).to(torch::kFloat);
  const std::int64_t channels = crops.size(1), side = crops.size(2);
  const double centre = static_cast<double>(side - 1) / 2;
  const torch::Tensor along = torch::arange(side, numbers.options());
  const torch::Tensor u = along.view({1, 1, side}) - centre, v = along.view({1, side, 1}) - centre;
  // grid_sampler counts from -1 to 1 between the centres of the outer pixels.
  const auto from = [&](Number at, Number by_u, Number by_v) {
    return (number(at, false) + number(by_u, false) * u + number(by_v, false) * v) / centre - 1;
  };
  const torch::Tensor grid = torch::stack({from(kCx, kXx, kXy), from(kCy, kYx, kYy)}, 3);
  constexpr std::int64_t kBilinear = 0, kBorder = 1;
  const torch::Tensor seen =
      torch::grid_sampler_2d(crops, grid, kBilinear, kBorder, /*align_corners=*/true) / 255;

  const torch::Tensor gamma = number(kGamma);
  const torch::Tensor mean = (crops.mean({1, 2, 3}, /*keepdim=*/true) / 255).pow(gamma);
  torch::Tensor x =
      (seen.clamp(0, 1).pow(gamma) - mean) * number(kContrast) + mean + number(kBrightness);
  x = torch::where(number(kSoft) > 0, softened(x), x);
  if (!noisy.empty()) {
    torch::Tensor noise =
        torch::empty({static_cast<std::int64_t>(noisy.size()), channels, side, side}, memory);
    float* at = noise.data_ptr<float>();
    for (const std::int64_t i : noisy) {
      const std::vector<float>& values = views[static_cast<std::size_t>(i)].noise;
      at = std::copy(values.begin(), values.end(), at);
    }
    x.index_add_(0, numbers_on(device_, noisy), noise.to(device_, /*non_blocking=*/true));
  }
  const torch::Tensor column = along.view({1, 1, 1, side}), row = along.view({1, 1, side, 1});
  const torch::Tensor erased = (column >= number(kLeft)) & (column < number(kRight)) &
                               (row >= number(kTop)) & (row < number(kBottom));
  x = torch::where(erased, number(kFill), x).clamp_(0, 1);
  return (x - stats_.mean) / stats_.stddev;
}

}  // namespace fer
