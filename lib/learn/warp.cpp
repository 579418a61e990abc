#include "learn/warp.h"

#include <algorithm>

namespace fer {
namespace {

/// Bilinear sample of a plane, border repeated.
float sample(const std::uint8_t* plane, int side, float x, float y) {
  const float limit = static_cast<float>(side - 1);
  x = std::clamp(x, 0.f, limit);
  y = std::clamp(y, 0.f, limit);
  const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
  const int x1 = std::min(x0 + 1, side - 1), y1 = std::min(y0 + 1, side - 1);
  const float fx = x - static_cast<float>(x0), fy = y - static_cast<float>(y0);
  const auto at = [&](int r, int c) { return static_cast<float>(plane[r * side + c]); };
  const float top = at(y0, x0) + fx * (at(y0, x1) - at(y0, x0));
  const float bottom = at(y1, x0) + fx * (at(y1, x1) - at(y1, x0));
  return top + fy * (bottom - top);
}

}  // namespace

void warp(const std::uint8_t* plane, int side, const Affine& a, float* out) {
  const double centre = (side - 1) / 2.0;
  for (int y = 0; y < side; ++y) {
    const double v = y - centre;
    for (int x = 0; x < side; ++x) {
      const double u = x - centre;
      *out++ = sample(plane, side, static_cast<float>(a.cx + a.xx * u + a.xy * v),
                      static_cast<float>(a.cy + a.yx * u + a.yy * v));
    }
  }
}

}  // namespace fer
