// A face detector's weights, to go on training from.
#pragma once

#include <filesystem>

#include "network/detector_file.h"

namespace fer {

/// Reads a detector's `.fer`, or the `.onnx` that `fer export` made of one. Batch norm is folded
/// away in the latter: the norms then only scale, by one. Throws std::runtime_error: file, what was
/// expected, what was found.
DetectorFile read_detector_weights(const std::filesystem::path& path);

}  // namespace fer
