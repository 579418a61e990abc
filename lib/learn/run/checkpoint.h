// The state of a training run on disk.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace fer {

/// Named tensors and what else a run must know to go on.
struct Checkpoint {
  std::map<std::string, torch::Tensor> tensors;
  nlohmann::json state;
};

/// Writes a checkpoint atomically (a safetensors file).
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Throws std::runtime_error that names the file where it is none.
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace fer
