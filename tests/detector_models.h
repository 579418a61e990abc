// The detector models that this machine has. A test that needs one which is missing skips.
#pragma once

#include <filesystem>
#include <string>

#include "scoped.h"
#include "vision/detector.h"

namespace fer::test {

/// YuNet from where the library looks for it (FER_MODELS first); empty: there is none.
inline std::filesystem::path yunet_path() {
  const DetectorModel found = find_detector_model();
  const bool yunet = found.path.filename().string().starts_with("face_detection_yunet");
  return yunet ? found.path : std::filesystem::path();
}

/// The YuNet of that name beside it; empty: it is not there.
inline std::filesystem::path yunet_path(const std::string& name) {
  const std::filesystem::path path = yunet_path().parent_path() / name;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

/// Our own detector, which ships; empty: the checkout has none.
inline std::filesystem::path own_detector_path() {
  const ScopedVariable models("FER_MODELS", "/nonexistent"),
      cache("XDG_CACHE_HOME", "/nonexistent");
  const DetectorModel found = find_detector_model();
  return found.path.filename() == "face-detector.onnx" ? found.path : std::filesystem::path();
}

/// The best detector with landmarks that is here; empty: there is none.
inline std::filesystem::path landmark_detector_path() {
  const DetectorModel found = find_detector_model();
  return found.remedy.empty() ? found.path : std::filesystem::path();
}

/// The Haar cascade of the system's opencv-data; empty: it is not installed.
inline std::filesystem::path haar_path() {
  for (const char* folder : {"/usr/share/opencv4/haarcascades", "/usr/share/opencv/haarcascades"}) {
    const std::filesystem::path path =
        std::filesystem::path(folder) / "haarcascade_frontalface_alt2.xml";
    if (std::filesystem::exists(path)) return path;
  }
  return {};
}

}  // namespace fer::test
