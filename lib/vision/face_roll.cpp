#include "vision/face_roll.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "vision/crop_plan.h"
#include "vision/cut_crop.h"

namespace fer {
namespace {

/// The picture of a face and its surroundings, and the share of it that the face's box takes.
constexpr int kSide = 128;
constexpr double kFaceShare = 0.5;

/// Steps of the search. Between two of them a face is turned by half a step at most, which the
/// detectors' landmarks bear.
constexpr int kTurns = 8;

constexpr float kMinScore = 0.3f;

/// By how much surer the detector must be of a turned face than of an upright one: faces that are
/// upright score alike in neighbouring turns.
constexpr float kUprightBonus = 0.1f;

double wrapped(double degrees) {
  degrees = std::fmod(degrees, 360);
  if (degrees > 180) degrees -= 360;
  if (degrees <= -180) degrees += 360;
  return degrees;
}

/// How far the line from the right to the left eye, and that from the eyes to the mouth, are turned
/// from where they lie in an upright face.
double roll_of(const Landmarks& points) {
  const cv::Point2f eyes = points[1] - points[0];
  const cv::Point2f down = (points[3] + points[4]) * 0.5f - (points[0] + points[1]) * 0.5f;
  // The sum of both directions, the second turned back by a quarter.
  const double x = static_cast<double>(eyes.x + down.y), y = static_cast<double>(eyes.y - down.x);
  return std::atan2(y, x) * 180 / std::numbers::pi;
}

/// From pixels of the shown frame to those of the picture, in which the face lies in the middle and
/// turned back by so many degrees.
Affine2x3 to_picture(const Face& face, double degrees) {
  const double side = std::max(face.box.width, face.box.height);
  const double scale = kFaceShare * kSide / std::max(side, 1.);
  const double angle = -degrees * std::numbers::pi / 180;
  const double a = scale * std::cos(angle), b = scale * std::sin(angle);
  const double x = face.box.x + face.box.width / 2, y = face.box.y + face.box.height / 2;
  return {a, -b, kSide / 2. - a * x + b * y, b, a, kSide / 2. - b * x - a * y};
}

/// Whether what was found is the face in the middle.
bool is_the_face(const Face& found) {
  const cv::Point2f centre = (found.box.tl() + found.box.br()) * 0.5f;
  const float middle = kSide / 2.f;
  const float reach = static_cast<float>(kFaceShare * kSide) / 2;
  const float size = std::max(found.box.width, found.box.height);
  return std::abs(centre.x - middle) < reach && std::abs(centre.y - middle) < reach &&
         size > reach && size < 4 * reach;
}

}  // namespace

std::optional<RolledFace> RollFinder::look(const FrameView& frame, const Face& face,
                                           double degrees) {
  const Affine2x3 there = to_picture(face, degrees);
  cut_crop(frame, there, {kSide, kSide}, pixels_);
  FrameView picture;
  picture.width = picture.height = kSide;
  picture.data[0] = pixels_.data();
  picture.stride[0] = kSide;
  DetectorConfig config;
  config.score_threshold = kMinScore;
  config.detect_width = 0;
  for (const Face& found : detector_.detect(picture, config)) {
    if (!found.landmarks || !is_the_face(found)) continue;
    RolledFace rolled;
    rolled.degrees = wrapped(degrees + roll_of(*found.landmarks));
    rolled.score = found.score;
    const Affine2x3 back = inverse_of(there);
    for (std::size_t i = 0; i < rolled.landmarks.size(); ++i) {
      const double x = (*found.landmarks)[i].x, y = (*found.landmarks)[i].y;
      rolled.landmarks[i] = {static_cast<float>(back[0] * x + back[1] * y + back[2]),
                             static_cast<float>(back[3] * x + back[4] * y + back[5])};
    }
    return rolled;
  }
  return std::nullopt;
}

std::optional<RolledFace> RollFinder::search(const FrameView& frame, const Face& face) {
  std::optional<RolledFace> best;
  float best_score = 0;
  for (int turn = 0; turn < kTurns; ++turn) {
    auto seen = look(frame, face, 360. * turn / kTurns);
    if (!seen) continue;
    const float score = seen->score + (turn == 0 ? kUprightBonus : 0.f);
    if (score <= best_score) continue;
    best_score = score;
    best = seen;
  }
  if (!best) return std::nullopt;
  // Once more, turned by what it turned out to be: the landmarks are best of an upright face.
  auto again = look(frame, face, best->degrees);
  return again ? again : best;
}

std::optional<RolledFace> RollFinder::follow(const FrameView& frame, const Face& face,
                                             double degrees) {
  return look(frame, face, degrees);
}

}  // namespace fer
