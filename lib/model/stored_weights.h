// The weights in a safetensors file: checked when they are read, hashed when they are written.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/safetensors.h"

namespace fer {

/// 64-bit FNV-1a over the tensors' names and bytes, as 16 hex digits: against accidents, not
/// against forgers.
std::string content_hash(const std::map<std::string, TensorView>& tensors);

/// The same over a text besides: what the tensors mean.
std::string content_hash(const std::string& text, const std::map<std::string, TensorView>& tensors);

/// Key of the metadata that holds the checksum.
inline constexpr char kChecksumKey[] = "checksum";

/// The metadata with a checksum over all of it and over the tensors: their names, types, shapes and
/// bytes.
std::map<std::string, std::string> with_checksum(std::map<std::string, std::string> metadata,
                                                 const std::map<std::string, TensorView>& tensors);

/// Throws std::runtime_error, with the file's name, where the content is not what was written.
/// Files of a format's version 1 may have a checksum, of the tensors alone; later ones must have
/// the one that with_checksum() gives.
void require_unchanged(const SafetensorsFile& file);

/// Reads the tensors that `layout` names, as fp32. Throws std::runtime_error, file and tensor
/// named, where one is missing, has another shape or type, holds NaN, infinity, a number beyond
/// 10^10 or a negative variance, and what require_unchanged() throws.
std::map<std::string, torch::Tensor> read_weights(
    const SafetensorsFile& file, const std::map<std::string, std::vector<std::int64_t>>& layout);

/// Weights as a file keeps them: floating-point ones only, contiguous, on the CPU; views() point
/// into it. bf16 shortens the kernels.
class StoredWeights {
 public:
  StoredWeights(const std::map<std::string, torch::Tensor>& weights, bool bf16);

  const std::map<std::string, TensorView>& views() const { return views_; }
  /// The short name of these weights: the first 12 digits of their content_hash().
  std::string version() const { return content_hash(views_).substr(0, 12); }

 private:
  std::map<std::string, torch::Tensor> tensors_;
  std::map<std::string, TensorView> views_;
};

}  // namespace fer
