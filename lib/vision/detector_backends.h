// The detectors behind open_detector(), one file each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "vision/detector.h"

namespace fer {

/// No detector comes near it.
inline constexpr std::uintmax_t kMaxDetectorFile = 256 << 20;

/// Open the detector whose bytes these are, after what can be checked without OpenCV; throw
/// std::runtime_error as open_detector() does.
std::unique_ptr<Detector> open_network(const std::filesystem::path& model,
                                       const std::string& bytes);
std::unique_ptr<Detector> open_haar(const std::filesystem::path& model, const std::string& bytes);

/// Hand all to OpenCV unchecked, which some files end the process by. The names of its outputs tell
/// which network a file holds. Throw std::runtime_error with what was found.
std::unique_ptr<Detector> read_network(const std::string& bytes);
std::unique_ptr<Detector> read_cascade(const std::filesystem::path& file);

/// True for a cascade that the system's packages brought.
bool is_system_cascade(const std::filesystem::path& model);

/// Size of the picture to detect in: the frame as it is shown, shrunk to `detect_width` where it is
/// wider.
cv::Size detection_size(const FrameView& frame, const DetectorConfig& config);

/// Applies the settings common to all detectors to faces in pixels of the shown frame: clips the
/// boxes, leaves out weak and small ones, best first, at most max_faces.
void finish_faces(const FrameView& frame, const DetectorConfig& config, std::vector<Face>& faces);

}  // namespace fer
