// Which faces of a frame are covered, and which stay so although nobody sees them now.
#pragma once

#include <vector>

#include "face-meta.h"

namespace fer {

enum class CoverFaces {
  kNone,
  kUnsure,  ///< Those without a label yet, and those whose label is marked unsure.
  kAll,
};

/// Chooses the faces to cover. A detector misses a face now and then, and a track that is missed is
/// not reported. A face that was covered therefore stays covered where it was last, until it is
/// seen again, or for kHoldFrames.
class CoveredFaces {
 public:
  static constexpr int kHoldFrames = 15;

  /// Takes in the faces of one frame, with boxes as shares of any one picture. Returns the boxes to
  /// cover: those of this frame, then those that are held. Call it for frames without faces, too.
  std::vector<FaceRecord> update(const std::vector<FaceRecord>& faces, CoverFaces which);

  /// Forgets what is held (a flush, pictures of another shape, a new start).
  void reset() { held_.clear(); }

 private:
  struct Held {
    FaceRecord face;
    int frames = 0;  ///< Since it was seen.
  };
  std::vector<Held> held_;
};

}  // namespace fer
