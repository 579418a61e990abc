// Face detectors behind one interface.
#pragma once

#include <filesystem>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "export.h"
#include "vision/face.h"
#include "vision/frame.h"

namespace fer {

/// Settings that every detector understands.
struct DetectorConfig {
  float score_threshold = 0.6f;  ///< Faces below this score are not reported.
  int detect_width = 640;        ///< Frames shown wider than this are shrunk to it; 0: full size.
  float min_face_size = 0.f;     ///< Faces with a shorter side below this many pixels are left out.
  int max_faces = 0;             ///< At most this many, the best first; 0: all.
  /// Look for small faces too, in a second picture of twice the size, which takes four times as
  /// long as the first. Only where the detector has a small_face().
  bool small_faces = false;
};

/// Finds the faces of a frame. Reads the frame through its strides and converts only the small
/// picture it works on. Not thread-safe: one detector a thread. A frame of any size is accepted.
class FER_API Detector {
 public:
  virtual ~Detector() = default;

  /// Faces in pixels of the frame as it is shown (vision/shown_frame.h), best score first, boxes
  /// clipped to it. Throws
  /// std::invalid_argument for a view without pixels or planes.
  virtual std::vector<Face> detect(const FrameView& frame, const DetectorConfig& config) = 0;

  /// Faces below this height, in pixels of the frame as shrunk to detect_width, are often missed
  /// without DetectorConfig::small_faces. 0: that makes no difference.
  virtual float small_face() const { return 0; }

  /// Whether its faces have landmarks, which tell how a face is turned.
  virtual bool has_landmarks() const { return true; }

  /// The small picture that detect() looked at last: CV_8UC1, or CV_8UC3 in BGR. It holds until the
  /// frame's memory goes. Null where there is none here: the frame lies on a device.
  virtual const cv::Mat* picture() const { return nullptr; }

  /// Short name for people: "fer", "yunet", "haar".
  virtual std::string name() const = 0;
};

/// Opens the detector that `model` holds: an ONNX file (our own network or YuNet) or an OpenCV
/// cascade (.xml).
/// Throws std::runtime_error with a sentence that names the file, what was expected and what was
/// found.
FER_API std::unique_ptr<Detector> open_detector(const std::filesystem::path& model);

/// What find_detector_model() found.
struct DetectorModel {
  std::filesystem::path path;  ///< Empty: nothing was found.
  std::string remedy;          ///< Not empty where this is only the fallback: what to do about it.
};

/// The detector model to use where the user named none: the first folder of FER_MODELS (a
/// colon-separated list) that holds a YuNet or our own (face-detector.onnx); else a YuNet, else our
/// own, in the build tree's models folder, the user's cache ($XDG_CACHE_HOME/gst-fer/models) or
/// the installed data folder; else the Haar cascade of the system's opencv-data.
FER_API DetectorModel find_detector_model();

}  // namespace fer
