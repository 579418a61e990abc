// What a detector says of one face.
#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core/types.hpp>
#include <optional>

namespace fer {

/// Five points in the order of YuNet: right eye, left eye, nose tip, right and left mouth corner
/// ("right" is the person's, so it lies on the left of the picture).
using Landmarks = std::array<cv::Point2f, 5>;

/// One face in pixels of the frame as it is shown (vision/shown_frame.h). `score` is in [0, 1]. A
/// detector without landmarks (Haar) leaves them empty.
struct Face {
  cv::Rect2f box;                      ///< In pixels of the shown frame.
  float score = 0.f;                   ///< How sure the detector is.
  std::optional<Landmarks> landmarks;  ///< Empty where the detector knows none.
};

/// A face with the identity that the tracker gave it; ids start at 1 and are never reused.
struct TrackedFace : Face {
  std::uint64_t track_id = 0;  ///< The same in each frame that shows the person; 0: none yet.
  /// False where a closer look did not show how the face is turned: what its landmarks say is not
  /// to be relied on.
  bool clear = true;
};

}  // namespace fer
