// The detectors behind open_detector(), one file each.
#pragma once

#include <filesystem>
#include <memory>

#include "vision/detector.h"

namespace fer {

/// Open a detector; throw std::runtime_error as open_detector() does. The names of its outputs tell
/// which network a file holds.
std::unique_ptr<Detector> open_network(const std::filesystem::path& model);
std::unique_ptr<Detector> open_haar(const std::filesystem::path& model);

/// Size of the picture to detect in: the frame as it is shown, shrunk to `detect_width` where it is
/// wider.
cv::Size detection_size(const FrameView& frame, const DetectorConfig& config);

/// Applies the settings common to all detectors to faces in pixels of the shown frame: clips the
/// boxes, leaves out weak and small ones, best first, at most max_faces.
void finish_faces(const FrameView& frame, const DetectorConfig& config, std::vector<Face>& faces);

}  // namespace fer
