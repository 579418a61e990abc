#include "overlay-covered-faces.h"

#include <algorithm>

namespace fer {
namespace {

/// A face in this much of the same place is the same face, as far as covering goes.
constexpr double kSameFace = 0.3;

/// The boxes' intersection over their union.
double overlap(const FaceRecord& a, const FaceRecord& b) {
  const double across = std::min(a.x + a.w, b.x + b.w) - std::max(a.x, b.x);
  const double down = std::min(a.y + a.h, b.y + b.h) - std::max(a.y, b.y);
  if (across <= 0 || down <= 0) return 0;
  return across * down / (a.w * a.h + b.w * b.h - across * down);
}

bool is_same(const FaceRecord& a, const FaceRecord& b) {
  if (a.track_id != 0 && a.track_id == b.track_id) return true;
  return overlap(a, b) >= kSameFace;
}

bool is_covered(const FaceRecord& face, CoverFaces which) {
  if (which == CoverFaces::kUnsure) return !face.expression || face.expression->unsure;
  return which == CoverFaces::kAll;
}

}  // namespace

std::vector<FaceRecord> CoveredFaces::update(const std::vector<FaceRecord>& faces,
                                             CoverFaces which) {
  if (which == CoverFaces::kNone) {
    reset();
    return {};
  }
  std::erase_if(held_, [&](Held& held) {
    return ++held.frames > kHoldFrames ||
           std::any_of(faces.begin(), faces.end(),
                       [&](const FaceRecord& face) { return is_same(face, held.face); });
  });
  std::vector<FaceRecord> covered;
  for (const FaceRecord& face : faces) {
    if (is_covered(face, which)) covered.push_back(face);
  }
  const std::size_t seen = covered.size();
  for (const Held& held : held_) covered.push_back(held.face);
  for (std::size_t i = 0; i < seen; ++i) held_.push_back({covered[i], 0});
  return covered;
}

}  // namespace fer
