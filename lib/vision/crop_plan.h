// Plans which part of a frame a crop samples, and how. Free of OpenCV, since the kernels cut the
// same crops.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>

namespace fer {

/// A 2x3 affine transform, row by row.
using Affine2x3 = std::array<double, 6>;

/// The inverse of `m`, which must be invertible.
inline Affine2x3 inverse_of(const Affine2x3& m) {
  const double d = 1 / (m[0] * m[4] - m[1] * m[3]);
  const double a = m[4] * d, b = -m[1] * d, c = -m[3] * d, e = m[0] * d;
  return {a, b, -a * m[2] - b * m[5], c, e, -c * m[2] - e * m[5]};
}

/// How to cut a crop: a region of the frame is averaged to a picture of columns x rows pixels, and
/// the crop is interpolated from that picture.
struct CropPlan {
  int x = 0, y = 0, width = 0, height = 0;  ///< The region, in pixels of the frame; never empty.
  int columns = 0, rows = 0;                ///< The picture; each pixel is the mean of a block.
  Affine2x3 to_crop{};  ///< From pixel indices of the picture to those of the crop.
  bool enlarges = false;
};

/// The plan that shrinks a region to columns x rows pixels and does nothing else.
inline CropPlan plan_region(int x, int y, int width, int height, int columns, int rows) {
  return {x, y, width, height, columns, rows, {1, 0, 0, 0, 1, 0}, false};
}

/// `to_crop` goes from stored frame pixels to crop pixels: a similarity, behind what stretches and
/// turns the stored picture into the shown one. Sides are in pixels.
inline CropPlan plan_crop(const Affine2x3& to_crop, int frame_width, int frame_height,
                          int crop_width, int crop_height) {
  CropPlan plan;
  // Crop pixels a step along a row and a column of the frame.
  const double across = std::hypot(to_crop[0], to_crop[3]);
  const double down = std::hypot(to_crop[1], to_crop[4]);
  // Linear interpolation reads two pixels along each side, which is enough to shrink by two. A crop
  // that shrinks more averages blocks first; they are no larger than needed, since more would blur.
  const auto block = [&](double scale) {
    return static_cast<int>(
        std::clamp(std::ceil(0.5 / scale - 1e-3), 1., 1. * std::max(frame_width, frame_height)));
  };
  const int block_width = block(across), block_height = block(down);

  // The crop's outline in the frame.
  const Affine2x3 to_frame = inverse_of(to_crop);
  double left = 1e9, top = 1e9, right = -1e9, bottom = -1e9;
  for (const double x : {0., static_cast<double>(crop_width)}) {
    for (const double y : {0., static_cast<double>(crop_height)}) {
      const double u = to_frame[0] * x + to_frame[1] * y + to_frame[2];
      const double v = to_frame[3] * x + to_frame[4] * y + to_frame[5];
      left = std::min(left, u);
      right = std::max(right, u);
      top = std::min(top, v);
      bottom = std::max(bottom, v);
    }
  }
  // The region adds one block around the outline for the interpolation, clipped to the frame. For a
  // crop far outside, the frame's nearest pixels remain: the border is repeated. The region starts
  // at an even pixel, where a chroma sample starts. Where the frame has room it holds whole blocks,
  // which average fastest.
  const auto span = [](double first, double last, int size, int n) {
    int begin = static_cast<int>(std::clamp(std::floor(first) - n - 1, 0., size - 1.)) / 2 * 2;
    const int end = static_cast<int>(std::clamp(std::ceil(last) + n + 1, begin + 1., size + 0.));
    const int length = std::min((end - begin + n - 1) / n * n, size);
    begin = std::min(begin, size - length);
    return std::pair(begin, length);
  };
  std::tie(plan.x, plan.width) = span(left, right, frame_width, block_width);
  std::tie(plan.y, plan.height) = span(top, bottom, frame_height, block_height);
  plan.columns = (plan.width + block_width - 1) / block_width;
  plan.rows = (plan.height + block_height - 1) / block_height;

  // In coordinates, pixel centres lie at halves; in indices, at whole numbers.
  const double sx = static_cast<double>(plan.width) / plan.columns;
  const double sy = static_cast<double>(plan.height) / plan.rows;
  const double x0 = plan.x + sx / 2, y0 = plan.y + sy / 2;
  for (int r = 0; r < 2; ++r) {
    const double* m = to_crop.data() + 3 * r;
    double* out = plan.to_crop.data() + 3 * r;
    out[0] = m[0] * sx;
    out[1] = m[1] * sy;
    out[2] = m[0] * x0 + m[1] * y0 + m[2] - 0.5;
  }
  plan.enlarges = across * down > 1;
  return plan;
}

}  // namespace fer
