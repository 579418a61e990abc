#include "overlay-tracks.h"

#include <algorithm>

namespace fer {
namespace {

/// A track that was not seen for longer is forgotten, in frames.
constexpr guint64 kForgetAfter = 150;
/// By how much another class must be likelier than the shown one to take its place.
constexpr float kMargin = 0.03f;

}  // namespace

void ShownTracks::update(const std::vector<FaceRecord>& faces, double smoothing) {
  ++frame_;
  smoothing_ = smoothing;
  for (const FaceRecord& face : faces) {
    if (face.track_id == 0) continue;
    Track& track = tracks_[face.track_id];
    track.last_seen = frame_;
    if (face.expression) smooth(track, *face.expression, smoothing);
  }
  std::erase_if(tracks_,
                [&](const auto& entry) { return frame_ - entry.second.last_seen > kForgetAfter; });
}

void ShownTracks::smooth(Track& track, const Expression& expression, double smoothing) {
  const auto& now = expression.probabilities;
  if (smoothing <= 0 || track.probabilities.size() != now.size()) {
    track.probabilities = now;
    track.label_id = expression.label_id;
    return;
  }
  const auto past = static_cast<float>(smoothing);
  for (std::size_t i = 0; i < now.size(); ++i) {
    track.probabilities[i] = past * track.probabilities[i] + (1 - past) * now[i];
  }
  const auto best = std::max_element(track.probabilities.begin(), track.probabilities.end());
  if (best == track.probabilities.end()) {
    track.label_id = expression.label_id;
  } else if (*best >= track.probabilities[static_cast<std::size_t>(track.label_id)] + kMargin) {
    track.label_id = static_cast<int>(best - track.probabilities.begin());
  }
}

std::optional<ShownExpression> ShownTracks::shown(const FaceRecord& face) const {
  if (!face.expression) return std::nullopt;
  const Expression& expression = *face.expression;
  ShownExpression shown{expression.label,         expression.label_id, std::nullopt,
                        expression.probabilities, expression.labels,   expression.unsure};
  if (shown.labels.empty()) {
    for (std::size_t i = 0; i < shown.probabilities.size(); ++i) {
      const bool is_label = static_cast<int>(i) == expression.label_id;
      shown.labels.push_back(is_label ? expression.label : "class " + std::to_string(i));
    }
  }
  const auto track = tracks_.find(face.track_id);
  if (smoothing_ > 0 && track != tracks_.end() &&
      track->second.probabilities.size() == shown.probabilities.size()) {
    shown.probabilities = track->second.probabilities;
    shown.label_id = track->second.label_id;
  }
  const auto id = static_cast<std::size_t>(shown.label_id);
  if (shown.label_id >= 0 && id < shown.probabilities.size()) {
    shown.confidence = shown.probabilities[id];
    shown.label = shown.labels[id];
  }
  return shown;
}

TrackMemory& ShownTracks::memory(const FaceRecord& face) {
  const auto track = tracks_.find(face.track_id);
  if (track != tracks_.end()) return track->second.memory;
  untracked_ = {};
  return untracked_;
}

void ShownTracks::reset() {
  tracks_.clear();
}

}  // namespace fer
