#include "vision/quarter_look.h"

#include <algorithm>
#include <cmath>

#include "vision/shown_frame.h"

namespace fer {
namespace {

/// The turn that brings faces upright which are turned clockwise by so many degrees.
Orientation upright_by(int degrees) {
  if (degrees == 90) return Orientation::k90Left;
  if (degrees == -90) return Orientation::k90Right;
  return degrees == 180 ? Orientation::k180 : Orientation::kIdentity;
}

/// One turn after the other.
Orientation one_turn(Orientation first, Orientation second) {
  const Affine2x3 both = composed(share_turn(second), share_turn(first));
  for (int i = 0; i <= static_cast<int>(Orientation::kTransverse); ++i) {
    const auto turn = static_cast<Orientation>(i);
    if (share_turn(turn) == both) return turn;
  }
  return Orientation::kIdentity;  // never: turns by quarters and mirrors are a group
}

cv::Point2f mapped(const Affine2x3& m, const cv::Point2f& point) {
  const ShownPoint to = moved_by(m, static_cast<double>(point.x), static_cast<double>(point.y));
  return {static_cast<float>(to.x), static_cast<float>(to.y)};
}

}  // namespace

std::vector<RolledFace> look_at_quarter(Detector& detector, const FrameView& frame,
                                        const DetectorConfig& config, int degrees) {
  const Orientation turn = upright_by(degrees);
  const ShownSize shown = shown_size(geometry_of(frame));
  FrameView turned = frame;
  turned.orientation = one_turn(frame.orientation, turn);
  DetectorConfig same_scale = config;
  same_scale.small_faces = false;
  if (config.detect_width > 0) {
    const double scale = std::min(1.0, config.detect_width / shown.width);
    const double width = shown_size(geometry_of(turned)).width * scale;
    same_scale.detect_width = std::max(1, static_cast<int>(std::lround(width)));
  }
  // From shares of the turned picture's sides to pixels of the shown frame.
  const ShownSize from = shown_size(geometry_of(turned));
  Affine2x3 back = share_turn(reversed(turn));
  for (std::size_t i = 0; i < 6; i += 3) {
    const double side = i == 0 ? shown.width : shown.height;
    back[i] *= side / from.width;
    back[i + 1] *= side / from.height;
    back[i + 2] *= side;
  }
  std::vector<RolledFace> faces;
  for (const Face& found : detector.detect(turned, same_scale)) {
    if (!found.landmarks) continue;
    RolledFace face;
    face.score = found.score;
    face.box = {mapped(back, found.box.tl()), mapped(back, found.box.br())};
    face.centre = (face.box.tl() + face.box.br()) * 0.5f;
    face.size = std::max(face.box.width, face.box.height);
    for (std::size_t i = 0; i < face.landmarks.size(); ++i)
      face.landmarks[i] = mapped(back, (*found.landmarks)[i]);
    face.degrees = roll_of(face.landmarks);
    faces.push_back(face);
  }
  return faces;
}

}  // namespace fer
