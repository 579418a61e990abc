// What a served face detector (ONNX) holds. Free of LibTorch.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "model/folded_network.h"
#include "network/detector_config.h"

namespace fer {

struct ServedDetector {
  DetectorNetConfig config;
  std::map<std::string, FoldedConv> convs;  ///< By the names of detector_convs().
  std::string version;                      ///< The first 12 digits of the file's SHA-256.
};

/// Reads what `fer export` made of a detector. Throws std::runtime_error: file, what was expected,
/// what was found.
ServedDetector read_served_detector(const std::filesystem::path& path);

}  // namespace fer
