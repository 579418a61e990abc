#include "stream/candidate_judge.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/stored_weights.h"

namespace fer {
namespace {

/// Each rollback halves the step size, down to this share of the configured one …
constexpr double kMinRate = 1.0 / 16;
/// … and each promotion gives back as much.
constexpr double kRateRecovery = 1.25;

}  // namespace

CandidateJudge::CandidateJudge(const OnlineConfig& config, const ModelFile& source,
                               AdaptedNetworks& networks, std::optional<Canary> canary)
    : config_(config), source_(source), networks_(networks), canary_(std::move(canary)) {
  selector_.emplace(Candidate{networks_.teacher_weights(), source_.info.version, score_now()},
                    config_.canary_margin, config_.rollback_margin);
}

Outcome CandidateJudge::judge(double loss, LearnerCounts& counts) {
  counts.since_judged = 0;
  Candidate candidate{networks_.teacher_weights(), {}, {}};
  candidate.version = version_of(candidate.weights);
  if (!std::isfinite(loss) || !networks_.finite()) {
    counts.note(candidate);
    return roll_back_candidate("the loss is no longer a number", counts);
  }
  candidate.score = score_now();
  counts.note(candidate);
  if (!canary_ || !config_.guards.canary)
    return promote(std::move(candidate), "no canary is asked", counts);
  Verdict verdict = selector_->verdict_on(candidate.score);
  std::string said = selector_->compared(candidate.score);
  if (verdict == Verdict::kRollBack) return roll_back_candidate(said, counts);
  if (verdict == Verdict::kKeep && config_.guards.part_way) {
    const auto score = [this](const Tensors& weights) { return score_of(weights); };
    if (auto part = selector_->part_of_the_way(candidate, score)) {
      candidate = std::move(part->candidate);
      candidate.version = version_of(candidate.weights);
      verdict = Verdict::kPromote;
      counts.note(candidate);
      said = part->share + (" of the way: " + selector_->compared(candidate.score));
    }
  }
  if (verdict == Verdict::kPromote && counts.accepted_since_promotion > 0)
    return promote(std::move(candidate), said, counts);
  if (verdict == Verdict::kPromote) said = "nothing of the stream was accepted; " + said;
  counts.decide(&LearnerCounts::kept, "kept", said);
  return Outcome::kKept;
}

Outcome CandidateJudge::promote(Candidate candidate, const std::string& reason,
                                LearnerCounts& counts) {
  selector_->promote(std::move(candidate));
  counts.accepted_since_promotion = 0;
  counts.rollbacks_in_a_row = 0;
  counts.rate = std::min(1.0, counts.rate * kRateRecovery);
  counts.decide(&LearnerCounts::promotions, "promoted", reason);
  return Outcome::kPromoted;
}

Outcome CandidateJudge::roll_back_candidate(const std::string& reason, LearnerCounts& counts) {
  counts.rate = std::max(kMinRate, counts.rate / 2);
  ++counts.rollbacks_in_a_row;
  counts.decide(&LearnerCounts::rollbacks, "rolled back", reason);
  return Outcome::kRolledBack;
}

CanaryScore CandidateJudge::score_now() {
  return canary_ ? canary_->score(networks_.teacher()) : CanaryScore();
}

CanaryScore CandidateJudge::score_of(const Tensors& weights) {
  const Tensors now = networks_.teacher_weights();
  networks_.set_teacher(weights);
  const CanaryScore score = score_now();
  networks_.set_teacher(now);
  return score;
}

void CandidateJudge::restore_history(const std::vector<ModelFile>& models) {
  const Candidate& serving = selector_->serving();
  for (const ModelFile& model : models) {
    // A model's own version says what it is; one of another network is not ours.
    Candidate earlier{{}, model.info.version, {}};
    bool fits = model.info.version != serving.version;
    for (const auto& [name, tensor] : serving.weights) {
      const auto it = model.weights.find(name);
      fits = fits && it != model.weights.end() && it->second.sizes() == tensor.sizes();
      if (fits) earlier.weights[name] = it->second.clone();
    }
    if (!fits) continue;
    earlier.score = score_of(earlier.weights);
    selector_->restore_earlier(std::move(earlier));
  }
}

std::string CandidateJudge::version_of(const Tensors& upper) const {
  return StoredWeights(weights_with(upper), /*bf16=*/false).version();
}

CandidateJudge::Tensors CandidateJudge::weights_with(const Tensors& upper) const {
  Tensors weights = source_.weights;
  for (const auto& [name, tensor] : upper) weights[name] = tensor.detach();
  return weights;
}

}  // namespace fer
