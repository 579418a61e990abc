// The weights in a safetensors file: checked on the way in, hashed on the way out.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/safetensors.h"

namespace fer {

/// 64-bit FNV-1a over names and bytes, as hex digits: against accidents, not against forgers.
std::string content_hash(const std::map<std::string, TensorView>& tensors);

/// Key of the metadata that holds content_hash() of a file's tensors.
inline constexpr char kChecksumKey[] = "checksum";

/// Reads the tensors that `layout` names, as fp32. Throws std::runtime_error, file and tensor
/// named, where one is missing, has another shape or type, holds NaN, infinity or a negative
/// variance, or where the file's checksum is not that of its tensors.
std::map<std::string, torch::Tensor> read_weights(
    const SafetensorsFile& file, const std::map<std::string, std::vector<std::int64_t>>& layout);

/// Weights as a file keeps them: floating-point ones only, contiguous, on the CPU; views() point
/// into it. bf16 shortens the kernels.
class StoredWeights {
 public:
  StoredWeights(const std::map<std::string, torch::Tensor>& weights, bool bf16);

  const std::map<std::string, TensorView>& views() const { return views_; }
  /// content_hash() of the views.
  std::string checksum() const;
  /// The short name of these weights: the first 12 digits of that.
  std::string version() const { return checksum().substr(0, 12); }

 private:
  std::map<std::string, torch::Tensor> tensors_;
  std::map<std::string, TensorView> views_;
};

}  // namespace fer
