// The weights of the project's own face detector: a safetensors file *.fer, for training. What is
// served is the ONNX file made of it.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <string>

#include "export.h"
#include "network/detector_info.h"

namespace fer {

/// Weights by the names of detector_layout(), fp32, on the CPU.
struct DetectorFile {
  DetectorInfo info;
  std::map<std::string, torch::Tensor> weights;
};

/// Throws std::runtime_error: file, what was expected, what was found.
FER_API DetectorFile read_detector(const std::filesystem::path& path);
/// Writes atomically; sets `info.version` from the content first.
FER_API void write_detector(const std::filesystem::path& path, DetectorFile& detector);

}  // namespace fer
