// The exponential that processor and device share, so that both draw the same line.
#pragma once

#include <cstdint>
#include <cstring>

#include "util/host_device.h"

namespace fer::kernels {

/// e^x for x <= 0, within 2 units in the last place; e^-87 below that. NaN stays NaN. Unlike the
/// library's, it is the same on a device and has no call in it, so that loops over it vectorise.
FER_HOST_DEVICE inline float exp_of_negative(float x) {
  const float clipped = x < -87.f ? -87.f : x;
  // Adding 1.5 · 2^23 rounds to a whole number, which then stands in the low bits.
  constexpr float kRound = 12582912.f;
  const float shifted = clipped * 1.44269504f + kRound;
  const float whole = shifted - kRound;
  // ln 2 in two parts, the first of so few bits that its product with `whole` is exact.
  const float r = (clipped - whole * 0.693359375f) - whole * -2.12194440e-4f;
  // Taylor's series: at |r| <= ln 2 / 2, the first term left out is 5e-9.
  float sum = 1.f / 5040;
  sum = sum * r + 1.f / 720;
  sum = sum * r + 1.f / 120;
  sum = sum * r + 1.f / 24;
  sum = sum * r + 1.f / 6;
  sum = sum * r + 0.5f;
  sum = sum * r + 1.f;
  sum = sum * r + 1.f;
  std::uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits - 0x4b400000u + 127u) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return sum * power;
}

}  // namespace fer::kernels
