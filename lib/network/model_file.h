// The model file *.fer: a safetensors file with a known set of metadata.
// docs/reference/model-file.md.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <string>

#include "export.h"
#include "model/model_info.h"

namespace fer {

/// A model in memory: weights by parameter and buffer name of NetworkImpl, fp32, contiguous, on the
/// CPU. A start for training has no labels, and no weights of a head.
struct ModelFile {
  ModelInfo info;                                ///< All but the weights.
  std::map<std::string, torch::Tensor> weights;  ///< By name.
};

/// Reads and checks a model file. Throws std::runtime_error: file, what was expected, what was
/// found; a start for training is none of the models that can be used.
FER_API ModelFile read_model(const std::filesystem::path& path);

/// As read_model(), for training to start from: a file without a head will do.
FER_API ModelFile read_start(const std::filesystem::path& path);

/// Writes a model file atomically; sets `info.version` from the content first. bf16 halves the
/// file.
FER_API void write_model(const std::filesystem::path& path, ModelFile& model, bool bf16 = false);

/// The version that write_model() would give the model, in fp32.
FER_API std::string version_of(const ModelFile& model);

/// True for a file whose kernels are in bf16. Throws what opening it throws.
FER_API bool is_stored_in_bf16(const std::filesystem::path& path);

/// The model with its calibration in the weights of its head and none beside them: a network of
/// these weights gives calibrated logits. `info.version` stays.
FER_API ModelFile with_calibration_in_head(const ModelFile& model);

}  // namespace fer
