// One layer of the project's own detector, applied to one frame's feature maps.
#pragma once

#include <cstddef>

#include "util/host_device.h"
#include "vision/grid_layer.h"

namespace fer::kernels {

/// Channels x height x width, fp32, one plane after the other.
struct FeatureMaps {
  float* data = nullptr;
  int channels = 0, height = 0, width = 0;
};

inline std::size_t value_count(const FeatureMaps& maps) {
  return static_cast<std::size_t>(maps.channels) * static_cast<std::size_t>(maps.height) *
         static_cast<std::size_t>(maps.width);
}

/// One launch. Pointers are to the processor's memory for the CPU form and to the device's for the
/// kernel.
struct RunLayer {
  GridLayer::Kind kind = GridLayer::kConv;
  FeatureMaps from, other;  ///< `other` for kAdd alone.
  FeatureMaps to;
  bool relu = false;  ///< Negative values of the result become 0.
  // Of kConv.
  const float* weight = nullptr;  ///< to.channels x seen x kernel x kernel.
  const float* bias = nullptr;    ///< to.channels.
  int seen = 0;                   ///< Input channels of a filter: all of `from`, or 1 (depthwise).
  int kernel = 1, stride = 1, pad = 0;
};

/// The shape of the layer's result for `from`, without memory. A dense convolution takes its number
/// of channels from `to.channels`.
FeatureMaps made_by(const RunLayer& layer);

/// Throws std::invalid_argument that names what is missing or out of range.
void check(const RunLayer& layer);

/// The CPU form, on the calling thread. Throws as check() does.
void run_layer(const RunLayer& layer);

FER_HOST_DEVICE inline float value_at(const FeatureMaps& maps, int c, int y, int x) {
  const auto width = static_cast<std::size_t>(maps.width);
  const std::size_t line = static_cast<std::size_t>(c) * static_cast<std::size_t>(maps.height) +
                           static_cast<std::size_t>(y);
  return maps.data[line * width + static_cast<std::size_t>(x)];
}

/// One value of a convolution: the bias, then the products channel by channel and row by row.
/// kKernel: the filter's side, or 0 where only the run time knows it.
template <int kKernel>
FER_HOST_DEVICE inline float convolved(const RunLayer& l, int c, int y, int x) {
  const int kernel = kKernel > 0 ? kKernel : l.kernel;
  const int top = y * l.stride - l.pad, left = x * l.stride - l.pad;
  const int first = l.seen == l.from.channels ? 0 : c;
  const float* weight = l.weight + static_cast<std::ptrdiff_t>(c) * l.seen * kernel * kernel;
  float sum = l.bias[c];
  const auto width = static_cast<std::ptrdiff_t>(l.from.width), plane = width * l.from.height;
  const float* from = l.from.data + first * plane;
  if (kKernel == 1 && l.pad == 0) {
    from += top * width + left;
    FER_EIGHT_AT_ONCE
    for (int k = 0; k < l.seen; ++k) sum += weight[k] * from[k * plane];
    return sum;
  }
  for (int k = 0; k < l.seen; ++k, from += plane) {
    for (int i = 0; i < kernel; ++i) {
      for (int j = 0; j < kernel; ++j, ++weight) {
        const int row = top + i, column = left + j;
        const bool inside = row >= 0 && row < l.from.height && column >= 0 && column < l.from.width;
        sum += *weight * (inside ? from[row * width + column] : 0.f);
      }
    }
  }
  return sum;
}

/// Makes one value of `to`; both forms call it for each value. kKernel as for convolved().
template <int kKernel>
FER_HOST_DEVICE inline void make_value(const RunLayer& l, int c, int y, int x) {
  float value = 0;
  switch (l.kind) {
    case GridLayer::kConv:
      value = convolved<kKernel>(l, c, y, x);
      break;
    case GridLayer::kEnlarge:
      value = value_at(l.from, c, y / 2, x / 2);
      break;
    case GridLayer::kAdd:
      value = value_at(l.from, c, y, x) + value_at(l.other, c, y, x);
      break;
  }
  const auto width = static_cast<std::size_t>(l.to.width);
  const std::size_t line = static_cast<std::size_t>(c) * static_cast<std::size_t>(l.to.height) +
                           static_cast<std::size_t>(y);
  l.to.data[line * width + static_cast<std::size_t>(x)] = l.relu && value < 0 ? 0 : value;
}

}  // namespace fer::kernels
