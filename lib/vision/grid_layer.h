// What our own detector's network is made of. No OpenCV in it: the kernels run it too.
#pragma once

#include <cstddef>
#include <vector>

namespace fer {

/// A side of the maps after a convolution, the same padding on all sides.
constexpr int convolved_side(int side, int kernel, int stride, int pad) {
  return (side + 2 * pad - kernel) / stride + 1;
}

/// One step over maps of features, C x H x W.
struct GridLayer {
  enum Kind {
    kConv,     ///< Square, the same padding on all sides, either dense or a filter a channel.
    kEnlarge,  ///< Twofold, the nearest pixel.
    kAdd,      ///< Two maps of one shape.
  };
  Kind kind = kConv;
  int input = 0, other = -1;  ///< Values: 0 is the network's input, i + 1 what layer i makes.
  bool relu = false;          ///< Negative values become 0 at last.
  // Of kConv.
  std::vector<float> weight;  ///< out x in x kernel x kernel.
  std::vector<float> bias;    ///< `out` values.
  int out = 0, in = 0;        ///< Channels; `in` those that a filter sees.
  int kernel = 1, stride = 1, pad = 0;

  /// False for a convolution with more or fewer weights than it says.
  bool whole() const {
    const auto count = [](int value) { return static_cast<std::size_t>(value); };
    return kind != kConv ||
           (weight.size() == count(out) * count(in) * count(kernel) * count(kernel) &&
            bias.size() == count(out));
  }
};

struct GridLayers {
  std::vector<GridLayer> layers;
  std::vector<int> outputs;  ///< Values, in the order that was asked for.
};

}  // namespace fer
