// Weights in memory, without LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fer {

/// An array of fp32 numbers: row-major, contiguous.
struct FloatTensor {
  std::vector<std::int64_t> shape;  ///< Extents, the slowest first; empty: one number.
  std::vector<float> values;        ///< As many as the product of `shape`.
};

/// Tensors by the names of a network's parameters and buffers.
using FloatTensors = std::map<std::string, FloatTensor>;

/// Name → shape: what a network must have.
using TensorLayout = std::map<std::string, std::vector<std::int64_t>>;

}  // namespace fer
