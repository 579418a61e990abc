// The weights in a safetensors file: checked when they are read, laid out when they are written.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/checksum.h"
#include "model/float_tensor.h"
#include "model/safetensors.h"

namespace fer {

/// Reads the tensors that `layout` names, as fp32. Throws std::runtime_error, file and tensor
/// named, where one is missing, has another shape or type, holds NaN, infinity, a number beyond
/// 10^10 or a negative variance, and what require_unchanged() throws.
FloatTensors read_weights(const SafetensorsFile& file, const TensorLayout& layout);

/// Weights as a file keeps them; views() point into it. bf16 shortens the kernels.
class StoredWeights {
 public:
  StoredWeights(FloatTensors weights, bool bf16);
  StoredWeights(const StoredWeights&) = delete;
  StoredWeights& operator=(const StoredWeights&) = delete;

  const std::map<std::string, TensorView>& views() const { return views_; }
  /// The short name of these weights: the first 12 digits of their content_hash().
  std::string version() const { return content_hash(views_).substr(0, 12); }

 private:
  const FloatTensors tensors_;
  std::map<std::string, std::vector<std::uint16_t>> shortened_;  ///< Kernels in bf16.
  std::map<std::string, TensorView> views_;
};

}  // namespace fer
