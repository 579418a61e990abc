// Affine warps of a plane of pixels.
#pragma once

#include <cstdint>

#include "kernels/view_rules.h"

namespace fer {

/// Warps side x side pixels to as many values in [0, 255]: bilinear; outside, the border is
/// repeated.
void warp(const std::uint8_t* plane, int side, const Affine& affine, float* out);

}  // namespace fer
