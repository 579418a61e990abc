#include <algorithm>
#include <iterator>

#include "vision/detector.h"
#include "vision/detector_backends.h"
#include "vision/model_paths.h"

namespace fer {
namespace {

// Detector files by name, best first: whoever fetched a YuNet wants the small faces that it finds
// and our own, which ships, does not (docs/explanation/detector.md); of YuNet the release that
// aligned the faces that expression models are trained on.
constexpr const char* kYuNet = "face_detection_yunet_2022mar.onnx";
constexpr const char* kNetworks[] = {kYuNet, "face_detection_yunet_2023mar.onnx",
                                     "face-detector.onnx"};

// Best first: alt2 finds more faces with fewer false alarms than the default one.
constexpr const char* kCascades[] = {"haarcascade_frontalface_alt2.xml",
                                     "haarcascade_frontalface_default.xml"};
constexpr const char* kCascadeFolders[] = {
    "/usr/share/opencv4/haarcascades", "/usr/local/share/opencv4/haarcascades",
    "/usr/share/opencv/haarcascades", "/usr/share/OpenCV/haarcascades"};

bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

}  // namespace

bool is_system_cascade(const std::filesystem::path& model) {
  return std::any_of(std::begin(kCascadeFolders), std::end(kCascadeFolders),
                     [&](const char* folder) { return model.parent_path() == folder; });
}

DetectorModel find_detector_model() {
  for (const std::filesystem::path& folder : named_model_folders()) {
    for (const char* name : kNetworks) {
      if (is_file(folder / name)) return {folder / name, ""};
    }
  }
  // Here the name goes first: what ships must not hide a YuNet in the user's cache.
  const std::vector<std::filesystem::path> usual = usual_model_folders();
  for (const char* name : kNetworks) {
    for (const std::filesystem::path& folder : usual) {
      if (is_file(folder / name)) return {folder / name, ""};
    }
  }
  const std::string remedy = "run scripts/models to fetch " + std::string(kYuNet) +
                             ", or name a folder that holds it in FER_MODELS";
  for (const char* folder : kCascadeFolders) {
    for (const char* name : kCascades) {
      const std::filesystem::path path = std::filesystem::path(folder) / name;
      if (is_file(path)) return {path, remedy};
    }
  }
  return {{}, remedy + "; for the fallback, install the package opencv-data"};
}

}  // namespace fer
