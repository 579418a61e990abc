#include "vision/face_roll.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "vision/crop_plan.h"
#include "vision/cut_crop.h"

namespace fer {
namespace {

/// Sides of the pictures of a face and its surroundings, to find it and to see where its landmarks
/// are, and the share of them that the face's box takes.
constexpr int kCoarse = 128, kFine = 256;
constexpr double kFaceShare = 0.5;

/// Steps of the search. Between two of them a face is turned by half a step at most, which the
/// detectors' landmarks bear.
constexpr int kTurns = 8;

constexpr float kMinScore = 0.3f;

/// By how much surer the detector must be of a turned face than of an upright one: faces that are
/// upright score alike in neighbouring turns.
constexpr float kUprightBonus = 0.02f;

double wrapped(double degrees) {
  degrees = std::fmod(degrees, 360);
  if (degrees > 180) degrees -= 360;
  if (degrees <= -180) degrees += 360;
  return degrees;
}

cv::Point2f centre_of(const cv::Rect2f& box) {
  return (box.tl() + box.br()) * 0.5f;
}

float size_of(const cv::Rect2f& box) {
  return std::max(box.width, box.height);
}

cv::Point2f transformed(const Affine2x3& m, const cv::Point2f& point) {
  const double x = point.x, y = point.y;
  return {static_cast<float>(m[0] * x + m[1] * y + m[2]),
          static_cast<float>(m[3] * x + m[4] * y + m[5])};
}

/// Whether what was found in a picture of this side is the face in the middle.
bool is_the_face(const Face& found, int picture_side) {
  const auto side = static_cast<float>(picture_side);
  const float reach = static_cast<float>(kFaceShare) * side / 2, size = size_of(found.box);
  const cv::Point2f off = centre_of(found.box) - cv::Point2f(side / 2, side / 2);
  return std::abs(off.x) < reach && std::abs(off.y) < reach && size > reach && size < 4 * reach;
}

}  // namespace

double roll_of(const Landmarks& points) {
  // The line from the right to the left eye, and that from the eyes to the mouth.
  const cv::Point2f eyes = points[1] - points[0];
  const cv::Point2f down = (points[3] + points[4]) * 0.5f - (points[0] + points[1]) * 0.5f;
  // The sum of both directions, the second turned back by a quarter.
  const double x = static_cast<double>(eyes.x + down.y), y = static_cast<double>(eyes.y - down.x);
  return std::atan2(y, x) * 180 / std::numbers::pi;
}

std::optional<RolledFace> RollFinder::look(const FrameView& frame, const Place& place) {
  const double scale = kFaceShare * place.side / std::max(place.size, 1.f);
  const double angle = -place.degrees * std::numbers::pi / 180;
  const double a = scale * std::cos(angle), b = scale * std::sin(angle);
  const double x = place.centre.x, y = place.centre.y, middle = place.side / 2.;
  const Affine2x3 there{a, -b, middle - a * x + b * y, b, a, middle - b * x - a * y};
  cut_crop(frame, there, {place.side, place.side}, pixels_);
  FrameView picture;
  picture.width = picture.height = place.side;
  picture.data[0] = pixels_.data();
  picture.stride[0] = place.side;
  DetectorConfig config;
  config.score_threshold = kMinScore;
  config.detect_width = 0;
  for (const Face& found : detector_.detect(picture, config)) {
    if (!found.landmarks || !is_the_face(found, place.side)) continue;
    const Affine2x3 back = inverse_of(there);
    RolledFace rolled;
    rolled.degrees = wrapped(place.degrees + roll_of(*found.landmarks));
    rolled.score = found.score;
    rolled.centre = transformed(back, centre_of(found.box));
    rolled.size = static_cast<float>(size_of(found.box) / scale);
    // A face is about an ellipse, turned with the picture.
    const double w = static_cast<double>(found.box.width);
    const double h = static_cast<double>(found.box.height);
    const auto box_width = static_cast<float>(std::hypot(back[0] * w, back[1] * h));
    const auto box_height = static_cast<float>(std::hypot(back[3] * w, back[4] * h));
    rolled.box = {rolled.centre.x - box_width / 2, rolled.centre.y - box_height / 2, box_width,
                  box_height};
    for (std::size_t i = 0; i < rolled.landmarks.size(); ++i)
      rolled.landmarks[i] = transformed(back, (*found.landmarks)[i]);
    return rolled;
  }
  return std::nullopt;
}

RolledFace RollFinder::refined(const FrameView& frame, const RolledFace& face) {
  return look(frame, {face.centre, face.size, face.degrees, kFine}).value_or(face);
}

std::optional<RolledFace> RollFinder::search(const FrameView& frame, const Face& face) {
  std::optional<RolledFace> upright, turned;
  for (int turn = 0; turn < kTurns; ++turn) {
    const double degrees = 360. * turn / kTurns;
    const auto seen = look(frame, {centre_of(face.box), size_of(face.box), degrees, kCoarse});
    if (!seen) continue;
    std::optional<RolledFace>& best = turn == 0 ? upright : turned;
    if (!best || seen->score > best->score) best = seen;
  }
  if (!upright && !turned) return std::nullopt;
  if (!turned || (upright && upright->score > turned->score)) return refined(frame, *upright);
  RolledFace best = refined(frame, *turned);
  if (!upright) return best;
  // Faces that are upright score alike in neighbouring turns, and some upside down score well, too:
  // the larger pictures tell.
  const RolledFace other = refined(frame, *upright);
  return other.score + kUprightBonus >= best.score ? other : best;
}

std::optional<RolledFace> RollFinder::follow(const FrameView& frame, const Face& face,
                                             double degrees) {
  const auto seen = look(frame, {centre_of(face.box), size_of(face.box), degrees, kCoarse});
  if (!seen) return std::nullopt;
  return refined(frame, *seen);
}

}  // namespace fer
