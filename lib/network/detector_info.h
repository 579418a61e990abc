// What a detector's weights file says beside its weights. Free of LibTorch.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "export.h"
#include "network/detector_config.h"

namespace fer {

/// What the file says beside its weights.
struct DetectorInfo {
  DetectorNetConfig network;
  /// The raw score above which faces and false alarms balanced best on the validation photos; what
  /// is served reports it as kServedScore.
  double operating_score = 0.5;
  std::string version;        ///< Short name of these weights: content hash, 12 hex digits.
  nlohmann::json provenance;  ///< How it came to be: settings, data, numbers.
};

/// The score that the operating score becomes where it is served: the elements' default threshold.
inline constexpr double kServedScore = 0.6;

/// True for a safetensors file whose format is that of detectors, of whatever version.
FER_API bool is_detector_file(const std::filesystem::path& path);

/// Reads and checks all but the weights. Throws std::runtime_error: file, what was expected, what
/// was found.
FER_API DetectorInfo read_detector_info(const std::filesystem::path& path);

}  // namespace fer
