// The model file *.fer: a safetensors file with a known set of metadata. Free of LibTorch.
// docs/reference/model-file.md.
#pragma once

#include <filesystem>
#include <string>

#include "export.h"
#include "model/float_tensor.h"
#include "model/model_info.h"

namespace fer {

/// A model as its file has it: weights by the names of network_layout(). A start for training has
/// no labels, and no weights of a head.
struct StoredModel {
  ModelInfo info;        ///< All but the weights.
  FloatTensors weights;  ///< By name, with the shapes of network_layout().
};

/// Reads and checks a model file. Throws std::runtime_error: file, what was expected, what was
/// found; a start for training is none of the models that can be used.
FER_API StoredModel read_stored_model(const std::filesystem::path& path);

/// As read_stored_model(), for training to start from: a file without a head will do.
FER_API StoredModel read_stored_start(const std::filesystem::path& path);

/// Writes a model file atomically; sets `info.version` from the content first. bf16 halves the
/// file. Throws std::runtime_error that names the file and the system's reason.
FER_API void write_stored_model(const std::filesystem::path& path, StoredModel& model,
                                bool bf16 = false);

/// The version that write_stored_model() would give the model, in fp32.
FER_API std::string version_of(const StoredModel& model);

}  // namespace fer
