#include "stream/tracklet.h"

#include <algorithm>

namespace fer {
namespace {

/// Tracks that are followed at once. A source that numbers its tracks anew without an end must not
/// fill the memory.
constexpr std::size_t kMaxOpen = 256;

std::int64_t nanoseconds(double seconds) {
  return static_cast<std::int64_t>(seconds * 1e9);
}

int likeliest(const std::vector<float>& probabilities) {
  return static_cast<int>(std::max_element(probabilities.begin(), probabilities.end()) -
                          probabilities.begin());
}

}  // namespace

bool Evidence::agrees(const TrackletConfig& config) const {
  return majority >= static_cast<float>(config.min_majority) &&
         flip_rate <= static_cast<float>(config.max_flips);
}

TrackletBuilder::TrackletBuilder(const TrackletConfig& config, int side)
    : config_(config), side_(side) {}

std::vector<Evidence> TrackletBuilder::add(FaceSample face, const std::vector<float>& probabilities,
                                           float source_confidence, FaceLatents latents) {
  std::vector<Evidence> ended;
  const std::int64_t now = face.time_ns;
  const Key key{face.source, face.track};
  // Clocks of different sources say nothing of one another.
  for (auto it = open_.begin(); it != open_.end();) {
    const auto& open = it->second;
    const bool same_clock = it->first.first == face.source;
    const bool silent =
        same_clock && (now - open.last_ns > nanoseconds(config_.gap) || now < open.last_ns);
    const bool full =
        it->first == key && now - open.evidence.begun_ns >= nanoseconds(config_.seconds);
    if (silent || full) {
      ended.push_back(close(std::move(it->second)));
      it = open_.erase(it);
    } else {
      ++it;
    }
  }
  if (face.track < 0) {
    Open alone;
    take(alone, std::move(face), probabilities, source_confidence, std::move(latents));
    ended.push_back(close(std::move(alone)));
    return ended;
  }
  if (open_.size() >= kMaxOpen && !open_.contains(key)) {
    auto oldest = std::min_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
      return a.second.last_ns < b.second.last_ns;
    });
    ended.push_back(close(std::move(oldest->second)));
    open_.erase(oldest);
  }
  take(open_[key], std::move(face), probabilities, source_confidence, std::move(latents));
  return ended;
}

void TrackletBuilder::take(Open& open, FaceSample face, const std::vector<float>& probabilities,
                           float source_confidence, FaceLatents latents) const {
  Evidence& e = open.evidence;
  if (e.frames == 0) {
    e.source = std::move(face.source);
    e.track = face.track;
    e.begun_ns = face.time_ns;
    e.mean.assign(probabilities.size(), 0.f);
    open.counts.assign(probabilities.size(), 0);
  }
  const int label = likeliest(probabilities);
  if (open.last_label >= 0 && label != open.last_label) ++open.flips;
  open.last_label = label;
  ++open.counts[static_cast<std::size_t>(label)];
  for (std::size_t k = 0; k < e.mean.size(); ++k) e.mean[k] += probabilities[k];
  e.source_confidence += source_confidence;
  e.latents.features.resize(latents.features.size());
  for (std::size_t d = 0; d < latents.features.size(); ++d)
    e.latents.features[d] += latents.features[d];
  open.last_ns = face.time_ns;
  ++e.frames;

  const float sharpness = sharpness_of(face.crop, side_);
  const auto place = std::find_if(open.best.begin(), open.best.end(),
                                  [&](const auto& kept) { return kept.first < sharpness; });
  if (place == open.best.begin()) {
    e.latents.scale = latents.scale;
    e.latents.bytes = std::move(latents.bytes);
  }
  if (place != open.best.end() || static_cast<int>(open.best.size()) < config_.keep)
    open.best.emplace(place, sharpness, std::move(face.crop));
  if (static_cast<int>(open.best.size()) > config_.keep) open.best.pop_back();
}

Evidence TrackletBuilder::close(Open open) {
  Evidence e = std::move(open.evidence);
  const auto frames = static_cast<float>(e.frames);
  for (float& value : e.mean) value /= frames;
  e.source_confidence /= frames;
  for (float& value : e.latents.features) value /= frames;
  for (std::size_t k = 0; k < open.counts.size(); ++k) {
    const auto best = static_cast<std::size_t>(e.label);
    if (open.counts[k] > open.counts[best] ||
        (open.counts[k] == open.counts[best] && e.mean[k] > e.mean[best]))
      e.label = static_cast<int>(k);
  }
  e.majority = static_cast<float>(open.counts[static_cast<std::size_t>(e.label)]) / frames;
  e.flip_rate = e.frames > 1 ? static_cast<float>(open.flips) / (frames - 1) : 0;
  for (auto& [sharpness, crop] : open.best) e.crops.push_back(std::move(crop));
  return e;
}

std::vector<Evidence> TrackletBuilder::end(const std::optional<std::string>& source) {
  std::vector<Evidence> ended;
  for (auto it = open_.begin(); it != open_.end();) {
    if (!source || it->first.first == *source) {
      ended.push_back(close(std::move(it->second)));
      it = open_.erase(it);
    } else {
      ++it;
    }
  }
  return ended;
}

std::optional<Refusal> TrackletBuilder::refuse(const Evidence& evidence) const {
  if (evidence.frames < config_.min_frames) return Refusal::kShort;
  // Half in half: neither its label nor what it is not can be told.
  if (evidence.majority < 0.5f || evidence.flip_rate > 2 * config_.max_flips)
    return Refusal::kDisagreement;
  return std::nullopt;
}

}  // namespace fer
