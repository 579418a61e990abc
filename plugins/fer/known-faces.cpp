#include "known-faces.h"

#include <algorithm>
#include <utility>

namespace fer {
namespace {

/// By this much of its width or height a box must have grown for its face to be inferred anew.
constexpr double kGrowth = 1.25;

void choose_label(Expression& expression) {
  const auto& p = expression.probabilities;
  const auto top = std::max_element(p.begin(), p.end());
  expression.label_id = static_cast<int>(top - p.begin());
  expression.label = expression.labels[static_cast<std::size_t>(expression.label_id)];
}

/// Mixes the old probabilities into the fresh ones, where they are of the same classes.
void smooth(Expression& fresh, const Expression& old, double smoothing) {
  if (fresh.labels != old.labels) return;
  const auto weight = static_cast<float>(smoothing);
  for (std::size_t k = 0; k < fresh.probabilities.size(); ++k) {
    fresh.probabilities[k] = weight * old.probabilities[k] + (1 - weight) * fresh.probabilities[k];
  }
}

}  // namespace

void KnownFaces::next_frame() {
  ++frame_;
  std::erase_if(tracks_,
                [this](const auto& item) { return frame_ - item.second.seen > kForgetAfter; });
}

bool KnownFaces::due(const FaceRecord& face, const ReclassifyRules& rules) const {
  const auto it = tracks_.find(face.track_id);
  if (face.track_id == 0 || it == tracks_.end()) return true;
  const Track& track = it->second;
  return (rules.interval > 0 && frame_ - track.inferred >= rules.interval) ||
         track.expression.model_version != rules.model_version || face.w >= kGrowth * track.w ||
         face.h >= kGrowth * track.h;
}

void KnownFaces::learn(FaceRecord& face, Expression fresh, double smoothing) {
  fresh.age = 0;
  if (face.track_id != 0) {
    const auto known = tracks_.find(face.track_id);
    if (known != tracks_.end()) {
      smooth(fresh, known->second.expression, smoothing);
    } else if (tracks_.size() >= kMaxTracks) {
      tracks_.erase(std::min_element(
          tracks_.begin(), tracks_.end(),
          [](const auto& a, const auto& b) { return a.second.seen < b.second.seen; }));
    }
    choose_label(fresh);
    tracks_[face.track_id] = {fresh, face.w, face.h, frame_, frame_};
  } else {
    choose_label(fresh);
  }
  face.expression = std::move(fresh);
}

bool KnownFaces::recall(FaceRecord& face) {
  const auto known = tracks_.find(face.track_id);
  if (face.track_id == 0 || known == tracks_.end()) return false;
  Track& track = known->second;
  track.seen = frame_;
  face.expression = track.expression;
  face.expression->age = static_cast<guint>(std::min<guint64>(frame_ - track.inferred, G_MAXUINT));
  return true;
}

void KnownFaces::clear() {
  tracks_.clear();
}

}  // namespace fer
