// Batch norm folded into the convolutions before it.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/folded_network.h"

namespace fer {

/// Makes served convolutions of trained tensors. Both maps must outlive it.
class ConvFolder {
 public:
  using Weights = std::map<std::string, torch::Tensor>;
  using Layout = std::map<std::string, std::vector<std::int64_t>>;

  ConvFolder(const Weights& weights, Layout layout)
      : weights_(weights), layout_(std::move(layout)) {}

  /// The tensor's values. Throws std::runtime_error that names it, where it is missing or has
  /// another shape than the layout says.
  std::vector<float> values(const std::string& name) const;
  /// A convolution followed by batch norm.
  FoldedConv conv(const std::string& name, const std::string& norm, int stride,
                  int groups = 1) const;
  /// A convolution with a bias of its own.
  FoldedConv conv_with_bias(const std::string& name, int groups) const;

 private:
  FoldedConv shape_of(const std::string& name, int stride, int groups) const;

  const Weights& weights_;
  const Layout layout_;
};

}  // namespace fer
