#include "adaptation.h"

#include <algorithm>

#include "interrupt.h"

namespace fer {
namespace {

/// A still is a piece of evidence of its own: further apart than a tracklet is long.
constexpr std::int64_t kBetween = 2'000'000'000;

}  // namespace

std::vector<nlohmann::json> adapt(OnlineLearner& learner, const PackedDataset& images,
                                  const std::string& split, int max_steps,
                                  const std::function<void(const AdaptProgress&)>& on_progress) {
  const std::vector<std::size_t> rows = images.rows(split);
  const bool any_aligned =
      std::any_of(rows.begin(), rows.end(), [&](std::size_t row) { return images.aligned(row); });
  std::vector<nlohmann::json> decisions;
  std::size_t seen = 0;
  int steps = 0, unjudged = 0;
  const auto note = [&] {
    const LearnerStats now = learner.stats();
    decisions.push_back({{"image", seen},
                         {"step", now.steps},
                         {"decision", now.decision},
                         {"reason", now.reason},
                         {"version", now.candidate_version},
                         {"score", now.candidate_score}});
    unjudged = 0;
  };
  const auto learn = [&] {
    while (learner.can_step() && (max_steps == 0 || steps < max_steps)) {
      stop_if_requested();
      learner.step();
      ++steps;
      ++unjudged;
      if (learner.judge_if_due()) note();
      on_progress({seen, rows.size(), learner.stats()});
    }
  };
  for (std::size_t row : rows) {
    stop_if_requested();
    const auto crop = images.crop(row);
    FaceSample face;
    face.crop.assign(crop.begin(), crop.end());
    face.source = images.name();
    face.track = images.person(row);
    face.time_ns = static_cast<std::int64_t>(seen) * kBetween;
    face.confidence = images.aligned(row) || !any_aligned ? 1 : 0;
    std::vector<FaceSample> one;
    one.push_back(std::move(face));
    learner.observe(std::move(one));
    ++seen;
    on_progress({seen, rows.size(), learner.stats()});
    learn();
  }
  learner.end_of();
  learn();
  if (unjudged > 0) {
    learner.judge_now();
    note();
  }
  return decisions;
}

}  // namespace fer
