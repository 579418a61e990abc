#include "learn/augment/warp.h"

namespace fer {

void warp(const std::uint8_t* plane, int side, const Affine& affine, float* out) {
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) *out++ = kernels::seen_at(plane, side, affine, x, y);
}

}  // namespace fer
