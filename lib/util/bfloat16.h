// bfloat16 numbers: the upper half of a float's bits. Processor and device round alike.
#pragma once

#include <cstdint>
#include <cstring>

#include "util/host_device.h"

namespace fer {

/// The bits of the bfloat16 that is nearest to `value`, the even one where two are as near. What is
/// too large becomes infinity, and NaN stays NaN.
FER_HOST_DEVICE inline std::uint16_t bfloat16_bits(float value) {
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  // Adding could carry a NaN into the sign, and cutting could leave infinity: a quiet NaN does
  // neither. Both forms are computed, so that loops over this vectorise.
  const std::uint32_t quiet_nan = bits | 0x400000u;
  const std::uint32_t nearest = bits + 0x7fffu + (bits >> 16 & 1u);
  return static_cast<std::uint16_t>(((bits & 0x7fffffffu) > 0x7f800000u ? quiet_nan : nearest) >>
                                    16);
}

/// The float that has these bits; exact.
FER_HOST_DEVICE inline float bfloat16_value(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}

}  // namespace fer
