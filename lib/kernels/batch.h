// Batches of pictures as networks take them, in the memory of the processor or of a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "util/bfloat16.h"
#include "util/host_device.h"

namespace fer::kernels {

/// A batch to fill: N pictures of `channels` x height x width values.
struct Batch {
  enum Type { kFp32, kFp16, kBf16, kUint8 };
  enum Order { kNchw, kNhwc };
  void* data = nullptr;
  Type type = kFp32;
  Order order = kNchw;
  int channels = 1, height = 0, width = 0;
};

/// Index of channel c of pixel (y, x) of picture n, counted in values.
FER_HOST_DEVICE inline std::size_t index_in(const Batch& b, std::size_t n, int c, int y, int x) {
  const auto channels = static_cast<std::size_t>(b.channels);
  const auto height = static_cast<std::size_t>(b.height), width = static_cast<std::size_t>(b.width);
  const std::size_t pixel = static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x);
  return b.order == Batch::kNchw
             ? (n * channels + static_cast<std::size_t>(c)) * height * width + pixel
             : (n * height * width + pixel) * channels + static_cast<std::size_t>(c);
}

/// The bits of a half (IEEE binary16), rounded to nearest even.
FER_HOST_DEVICE inline std::uint16_t half_bits(float value) {
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  bits &= 0x7fffffffu;
  std::uint32_t half;
  if (bits > 0x7f800000u) {
    half = 0x7e00u;
  } else if (bits >= 0x47800000u) {  // 2^16 and above.
    half = 0x7c00u;
  } else if (bits >= 0x38800000u) {  // Normal; a carry out of the mantissa ends in infinity.
    half = ((bits + 0xfffu + (bits >> 13 & 1u)) >> 13) - (112u << 10);
  } else {
    // A half's smallest step is the last bit of a float from 0.5 to 1, where adding rounds.
    float small;
    memcpy(&small, &bits, sizeof small);
    small += 0.5f;
    memcpy(&half, &small, sizeof half);
    half -= 0x3f000000u;
  }
  return static_cast<std::uint16_t>(half | sign);
}

/// The nearest whole number from 0 to 255.
FER_HOST_DEVICE inline std::uint8_t byte_of(float value) {
  return static_cast<std::uint8_t>(value < 0 ? 0.f : value > 255 ? 255.f : value + 0.5f);
}

FER_HOST_DEVICE inline void store(const Batch& b, std::size_t index, float value) {
  switch (b.type) {
    case Batch::kFp32:
      static_cast<float*>(b.data)[index] = value;
      break;
    case Batch::kFp16:
      static_cast<std::uint16_t*>(b.data)[index] = half_bits(value);
      break;
    case Batch::kBf16:
      static_cast<std::uint16_t*>(b.data)[index] = bfloat16_bits(value);
      break;
    case Batch::kUint8:
      static_cast<std::uint8_t*>(b.data)[index] = byte_of(value);
      break;
  }
}

/// Normalisation of a pixel, (value / full - mean) / stddev, as one product and one sum.
struct Normaliser {
  float scale, offset;
  FER_HOST_DEVICE Normaliser(float full, float mean, float stddev)
      : scale(1 / (full * stddev)), offset(-mean / stddev) {}
  FER_HOST_DEVICE float operator()(float value) const { return value * scale + offset; }
};

}  // namespace fer::kernels
