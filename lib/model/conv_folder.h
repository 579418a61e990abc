// Batch norm folded into the convolutions before it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/float_tensor.h"
#include "model/folded_network.h"

namespace fer {

/// Makes served convolutions of trained tensors. `weights` must outlive it.
class ConvFolder {
 public:
  ConvFolder(const FloatTensors& weights, TensorLayout layout)
      : weights_(weights), layout_(std::move(layout)) {}

  /// The tensor's values. Throws std::runtime_error that names it, where it is missing or has
  /// another shape than the layout says.
  const std::vector<float>& values(const std::string& name) const;
  /// A convolution followed by batch norm.
  FoldedConv conv(const std::string& name, const std::string& norm, int stride,
                  int groups = 1) const;
  /// A convolution with a bias of its own.
  FoldedConv conv_with_bias(const std::string& name, int groups) const;

 private:
  FoldedConv shape_of(const std::string& name, int stride, int groups) const;

  const FloatTensors& weights_;
  const TensorLayout layout_;
};

}  // namespace fer
