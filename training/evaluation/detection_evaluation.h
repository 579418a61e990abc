// How well any face detector does on photos with a teacher's faces.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "learn/detection/detection_metrics.h"

namespace fer {

struct DetectionEvalSettings {
  std::string split = "test";
  int detect_width = 640;   ///< Photos wider than this are shrunk to it, as by the elements.
  double min_face = 24;     ///< Lower faces do not count; pixels of what the detector sees.
  int max_photos = 0;       ///< Only the first ones; 0: all.
  bool small_faces = true;  ///< Look for small faces too, as the elements do now and then.
  /// Look for turned faces too, as the elements do on a stream's first frame. Finds below the
  /// default threshold are left out then, since such a frame shows none. Not for weights.
  bool turned_faces = false;
  double light = 1;  ///< What the pixels are multiplied by, in (0, 1]. Not for weights.
};

struct DetectionEvaluation {
  DetectionScore score{0};
  std::string detector;  ///< "fer", "yunet", "haar", "fer (weights)".
  bool colour = false;   ///< The detector saw the photos in colour.
  std::size_t unreadable = 0;
  double threshold = 0.6;  ///< The score at which the detector is used.
};

/// Evaluates `model` (what open_detector() opens, or weights in a .fer file) on `data` (what
/// read_scene_list() reads, or a packed dataset of photos, whose photos are grey). Weights take a
/// packed dataset only. `on_progress(done, all)`.
///
/// Throws std::runtime_error for unusable files; Interrupted.
DetectionEvaluation evaluate_detector(
    const std::filesystem::path& model, const std::filesystem::path& data,
    const DetectionEvalSettings& settings,
    const std::function<void(std::size_t done, std::size_t all)>& on_progress);

}  // namespace fer
