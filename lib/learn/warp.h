// Looking at a plane of pixels from elsewhere.
#pragma once

#include <cstdint>

namespace fer {

/// Where an output pixel comes from: (u, v) from the centre of the view is looked up at
/// (cx + xx·u + xy·v, cy + yx·u + yy·v) of the plane, in pixels.
struct Affine {
  double xx = 1, xy = 0, yx = 0, yy = 1;
  double cx = 0, cy = 0;
};

/// side x side pixels → the same in [0, 255], bilinear, the border repeated where the view looks
/// past it.
void warp(const std::uint8_t* plane, int side, const Affine& affine, float* out);

}  // namespace fer
