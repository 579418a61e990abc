// IEEE 754 half-precision numbers (binary16), which some model files hold.
#pragma once

#include <cstdint>
#include <cstring>

namespace fer {

/// The float that a half with these bits is; exact. NaN stays NaN.
inline float float16_value(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = bits >> 10 & 0x1fu;
  const std::uint32_t fraction = bits & 0x3ffu;
  std::uint32_t wide = 0;
  if (exponent == 0x1f) {  // Infinity or NaN.
    wide = sign | 0x7f800000u | fraction << 13;
  } else if (exponent > 0) {
    wide = sign | (exponent + 127 - 15) << 23 | fraction << 13;
  } else {  // Zero, or a subnormal number: fraction · 2^-24.
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    std::memcpy(&wide, &magnitude, sizeof wide);
    wide |= sign;
  }
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

}  // namespace fer
