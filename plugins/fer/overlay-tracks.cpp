#include "overlay-tracks.h"

#include <algorithm>

#include "model/labels.h"

namespace fer {
namespace {

/// A track that was not seen for longer is forgotten, in frames.
constexpr guint64 kForgetAfter = 150;
/// By how much another class must be likelier than the shown one to take its place.
constexpr float kMargin = 0.03f;

/// FER+'s name of a class of that many; null where the classes are not FER+'s.
const std::string* ferplus_name(std::size_t id, std::size_t class_count) {
  const auto& labels = ferplus_labels();
  return class_count == labels.size() && id < class_count ? &labels[id] : nullptr;
}

}  // namespace

void ShownTracks::update(const std::vector<FaceRecord>& faces, double smoothing) {
  ++frame_;
  smoothing_ = smoothing;
  for (const FaceRecord& face : faces) {
    if (face.expression) learn_names(*face.expression);
    if (face.track_id == 0) continue;
    Track& track = tracks_[face.track_id];
    track.last_seen = frame_;
    if (face.expression) smooth(track, *face.expression, smoothing);
  }
  std::erase_if(tracks_,
                [&](const auto& entry) { return frame_ - entry.second.last_seen > kForgetAfter; });
}

void ShownTracks::learn_names(const Expression& expression) {
  if (expression.model_version != model_version_) {
    // A new version of the model has the same classes as a rule; if not, its labels say so.
    model_version_ = expression.model_version;
    names_.clear();
    other_names_ = false;
  }
  if (expression.label_id < 0 || expression.probabilities.empty()) return;
  const auto id = static_cast<std::size_t>(expression.label_id);
  const std::string* ferplus = ferplus_name(id, expression.probabilities.size());
  if (ferplus == nullptr || *ferplus != expression.label) other_names_ = true;
  names_[id] = expression.label;
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
  ShownExpression shown{expression.label, expression.label_id, std::nullopt,
                        expression.probabilities};
  const auto track = tracks_.find(face.track_id);
  if (track != tracks_.end() && smoothing_ > 0) {
    shown.probabilities = track->second.probabilities;
    if (track->second.label_id != expression.label_id) {
      shown.label_id = track->second.label_id;
      shown.label =
          class_name(static_cast<std::size_t>(shown.label_id), shown.probabilities.size());
    }
  }
  if (shown.label_id >= 0 &&
      static_cast<std::size_t>(shown.label_id) < shown.probabilities.size()) {
    shown.confidence = shown.probabilities[static_cast<std::size_t>(shown.label_id)];
  }
  return shown;
}

TrackMemory& ShownTracks::memory(const FaceRecord& face) {
  const auto track = tracks_.find(face.track_id);
  if (track != tracks_.end()) return track->second.memory;
  untracked_ = {};
  return untracked_;
}

std::string ShownTracks::class_name(std::size_t id, std::size_t class_count) const {
  const auto known = names_.find(id);
  if (known != names_.end()) return known->second;
  const std::string* ferplus = other_names_ ? nullptr : ferplus_name(id, class_count);
  return ferplus != nullptr ? *ferplus : "class " + std::to_string(id);
}

void ShownTracks::reset() {
  tracks_.clear();
  names_.clear();
  model_version_.clear();
  other_names_ = false;
}

}  // namespace fer
