// Finds how a face is turned in the plane of the picture, and its landmarks with it.
#pragma once

#include <optional>
#include <vector>

#include "vision/detector.h"

namespace fer {

/// What a closer look at one face shows.
struct RolledFace {
  cv::Rect2f box;       ///< In pixels of the shown frame, upright: around the turned face.
  double degrees = 0;   ///< How far the face is turned clockwise from upright, in (-180, 180].
  float score = 0;      ///< Of the face seen upright.
  cv::Point2f centre;   ///< Of its box, likewise.
  float size = 0;       ///< The longer side of the face, likewise.
  Landmarks landmarks;  ///< Likewise.
};

/// How far a face with these landmarks is turned clockwise from upright, in (-180, 180].
double roll_of(const Landmarks& points);

/// Detectors are trained on faces that are about upright. They find turned ones, too, but place
/// their landmarks as if they were upright: of a face upside down, the eyes where its mouth is. So
/// the face's surroundings are turned step by step, and the turn in which the detector is surest of
/// the face tells how it is turned. Not thread-safe.
class RollFinder {
 public:
  /// The detector must have landmarks, and outlive this. Its picture() is overwritten.
  explicit RollFinder(Detector& detector) : detector_(detector) {}

  /// Looks at all turns. nullopt where the face is seen in none of them.
  std::optional<RolledFace> search(const FrameView& frame, const Face& face);

  /// Looks at the one turn that is expected. nullopt where the face is not seen there.
  std::optional<RolledFace> follow(const FrameView& frame, const Face& face, double degrees);

 private:
  /// A place to look at: a square picture of `side` pixels around `centre`, turned upright by
  /// `degrees`, in which a face of `size` pixels of the shown frame takes half.
  struct Place {
    cv::Point2f centre;
    float size;
    double degrees;
    int side;
  };
  /// The face at this place; nullopt where it is not seen.
  std::optional<RolledFace> look(const FrameView& frame, const Place& place);
  /// Looks once more, at the place where a face turned out to be: landmarks are best of a face that
  /// is upright, in the middle and not too small.
  RolledFace refined(const FrameView& frame, const RolledFace& face);

  Detector& detector_;
  std::vector<std::uint8_t> pixels_;
};

}  // namespace fer
