#include "face-geometry.h"

#include <algorithm>
#include <cmath>

namespace fer {
namespace {

/// A box by two opposite corners, in whatever order a turn leaves them.
struct Corners {
  ShownPoint a, b;
  double x() const { return std::min(a.x, b.x); }
  double y() const { return std::min(a.y, b.y); }
  double width() const { return std::abs(a.x - b.x); }
  double height() const { return std::abs(a.y - b.y); }
};

}  // namespace

FaceRecord face_record(const TrackedFace& face, const FrameGeometry& frame) {
  const ShownSize shown = shown_size(frame);
  const Affine2x3 back = share_turn(reversed(frame.orientation));
  const auto share = [&](double x, double y) {
    return moved_by(back, x / shown.width, y / shown.height);
  };
  const cv::Rect2d found(face.box);
  const Corners box{share(found.x, found.y), share(found.x + found.width, found.y + found.height)};
  FaceRecord record;
  record.track_id = face.track_id;
  record.clear = face.clear;
  record.x = box.x();
  record.y = box.y();
  record.w = box.width();
  record.h = box.height();
  record.confidence = static_cast<double>(face.score);
  if (face.landmarks) {
    auto& shares = record.landmarks.emplace();
    for (std::size_t i = 0; i < face.landmarks->size(); ++i) {
      const cv::Point2d point((*face.landmarks)[i]);
      const ShownPoint there = share(point.x, point.y);
      shares[2 * i] = there.x;
      shares[2 * i + 1] = there.y;
    }
  }
  return record;
}

TrackedFace face_in_pixels(const FaceRecord& record, const FrameGeometry& frame) {
  const ShownSize shown = shown_size(frame);
  const Affine2x3 turn = share_turn(frame.orientation);
  const auto pixels = [&](double x, double y) {
    const ShownPoint share = moved_by(turn, x, y);
    return ShownPoint{share.x * shown.width, share.y * shown.height};
  };
  const Corners box{pixels(record.x, record.y), pixels(record.x + record.w, record.y + record.h)};
  TrackedFace face;
  face.track_id = record.track_id;
  face.clear = record.clear;
  face.box = cv::Rect2d(box.x(), box.y(), box.width(), box.height());
  face.score = static_cast<float>(record.confidence);
  if (record.landmarks) {
    Landmarks& points = face.landmarks.emplace();
    for (std::size_t i = 0; i < points.size(); ++i) {
      const ShownPoint there = pixels((*record.landmarks)[2 * i], (*record.landmarks)[2 * i + 1]);
      points[i] = {static_cast<float>(there.x), static_cast<float>(there.y)};
    }
  }
  return face;
}

FaceRecord as_shown(const FaceRecord& record, Orientation orientation) {
  const Affine2x3 turn = share_turn(orientation);
  const Corners box{moved_by(turn, record.x, record.y),
                    moved_by(turn, record.x + record.w, record.y + record.h)};
  FaceRecord shown = record;
  shown.x = box.x();
  shown.y = box.y();
  shown.w = box.width();
  shown.h = box.height();
  if (shown.landmarks) {
    auto& points = *shown.landmarks;
    for (std::size_t i = 0; i < points.size(); i += 2) {
      const ShownPoint point = moved_by(turn, points[i], points[i + 1]);
      points[i] = point.x;
      points[i + 1] = point.y;
    }
  }
  return shown;
}

double face_size(const FaceRecord& record, const FrameGeometry& frame) {
  const ShownSize shown = shown_size(frame);
  const bool swaps = swaps_axes(frame.orientation);
  return std::min((swaps ? record.h : record.w) * shown.width,
                  (swaps ? record.w : record.h) * shown.height);
}

}  // namespace fer
