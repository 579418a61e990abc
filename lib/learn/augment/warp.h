// Looking at a plane of pixels from elsewhere.
#pragma once

#include <cstdint>

#include "kernels/view_rules.h"

namespace fer {

/// side x side pixels → the same in [0, 255], bilinear, the border repeated where the view looks
/// past it.
void warp(const std::uint8_t* plane, int side, const Affine& affine, float* out);

}  // namespace fer
