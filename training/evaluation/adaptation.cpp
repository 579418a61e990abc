#include "evaluation/adaptation.h"

#include <algorithm>
#include <utility>

#include "terminal/interrupt.h"

namespace fer {
namespace {

/// A still is a piece of evidence of its own: further apart than a tracklet is long.
constexpr std::int64_t kBetween = 2'000'000'000;
/// Faces that are shown together: one by one costs more time.
constexpr std::size_t kTogether = 16;
/// Steps between two things that a learner tells.
constexpr int kTellEvery = 10;

nlohmann::json scores(const Confusion& confusion) {
  const nlohmann::json all = confusion.to_json();
  return {{"accuracy", all["accuracy"]},
          {"macro_recall", all["macro_recall"]},
          {"recall", all["recall"]}};
}

}  // namespace

void OnlineAdapter::take(std::vector<FaceSample> faces) {
  if (told_.empty()) tell(/*decided=*/false);
  learner_.observe(std::move(faces));
  learn();
}

void OnlineAdapter::finish() {
  learner_.end_of();
  learn();
  stop();
}

void OnlineAdapter::stop() {
  // Labels alone make a candidate, too.
  const bool judged = unjudged_ > 0 || (decisions_.empty() && learner_.stats().labels > 0);
  if (judged) learner_.judge_now();
  unjudged_ = 0;
  tell(judged);
}

void OnlineAdapter::learn() {
  while (learner_.can_step() && (most_ == 0 || steps_ < most_)) {
    stop_if_requested();
    learner_.step();
    ++steps_;
    ++unjudged_;
    const bool decided = learner_.judge_if_due().has_value();
    if (decided) unjudged_ = 0;
    if (decided || steps_ % kTellEvery == 0) tell(decided);
  }
}

void OnlineAdapter::tell(bool decided) {
  told_.push_back(learner_.stats());
  if (decided) decisions_.push_back(told_.back());
}

nlohmann::json Watched::look(std::uint64_t faces, std::uint64_t steps, const ModelFile& serving) {
  nlohmann::json seen{{"faces", faces}, {"steps", steps}, {"version", serving.info.version}};
  if (target) seen["target"] = scores(target->score(serving, prior_correction));
  if (source) seen["source"] = scores(source->score(serving));
  return seen;
}

Adaptation::Adaptation(Adapter& adapter, Watched& watched) : adapter_(adapter), watched_(watched) {
  look();
}

void Adaptation::take(std::vector<FaceSample> faces) {
  stop_if_requested();
  faces_ += faces.size();
  adapter_.take(std::move(faces));
  if (adapter_.serving_state() != serving_) look();
}

void Adaptation::finish() {
  adapter_.finish();
  look();
}

void Adaptation::stop() {
  adapter_.stop();
  look();
}

void Adaptation::look(const nlohmann::json& more) {
  serving_ = adapter_.serving_state();
  if (!watched_.target && !watched_.source) return;
  history_.push_back(watched_.look(faces_, adapter_.steps(), adapter_.serving()));
  history_.back().update(more);
}

void show_stills(Adaptation& adaptation, const std::string& name, const PackedDataset& images,
                 const std::vector<std::size_t>& rows,
                 const std::function<void(std::size_t done)>& on_progress) {
  const bool any_aligned =
      std::any_of(rows.begin(), rows.end(), [&](std::size_t row) { return images.aligned(row); });
  std::vector<FaceSample> faces;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto crop = images.crop(rows[i]);
    FaceSample face;
    face.crop.assign(crop.begin(), crop.end());
    face.source = name;
    face.track = images.person(rows[i]);
    face.time_ns = static_cast<std::int64_t>(i) * kBetween;
    face.confidence = images.aligned(rows[i]) || !any_aligned ? 1 : 0;
    faces.push_back(std::move(face));
    if (faces.size() < kTogether && i + 1 < rows.size()) continue;
    adaptation.take(std::exchange(faces, {}));
    on_progress(i + 1);
  }
}

}  // namespace fer
