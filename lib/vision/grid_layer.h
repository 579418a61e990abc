// The layers of our own detector's network. Free of OpenCV, since the kernels run them too.
#pragma once

#include <cstddef>
#include <vector>

namespace fer {

/// The side of a map after a convolution with the same padding on all sides.
constexpr int convolved_side(int side, int kernel, int stride, int pad) {
  return (side + 2 * pad - kernel) / stride + 1;
}

/// A layer over feature maps, C x H x W.
struct GridLayer {
  enum Kind {
    kConv,     ///< Square convolution, dense or depthwise, with the same padding on all sides.
    kEnlarge,  ///< Nearest-neighbour upsampling by two.
    kAdd,      ///< Sum of two maps of the same shape.
  };
  Kind kind = kConv;
  int input = 0, other = -1;  ///< Maps: 0 is the network's input, i + 1 the output of layer i.
  bool relu = false;          ///< Negative values of the output become 0.
  // The rest is for kConv.
  std::vector<float> weight;  ///< out x in x kernel x kernel.
  std::vector<float> bias;    ///< `out` values.
  int out = 0, in = 0;        ///< Channels; `in`: those of one filter.
  int kernel = 1, stride = 1, pad = 0;

  /// False for a convolution with more or fewer weights than its shape has.
  bool whole() const {
    const auto count = [](int value) { return static_cast<std::size_t>(value); };
    return kind != kConv ||
           (weight.size() == count(out) * count(in) * count(kernel) * count(kernel) &&
            bias.size() == count(out));
  }
};

struct GridLayers {
  std::vector<GridLayer> layers;
  std::vector<int> outputs;  ///< Maps, in the order that was asked for.
};

}  // namespace fer
