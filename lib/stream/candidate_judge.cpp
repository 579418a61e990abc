#include "stream/candidate_judge.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "network/model_file.h"
#include "stream/count_predictions.h"
#include "stream/mirror_agreement.h"

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
  if (canary_ && !source_.info.operating_points.empty())
    source_answers_ = canary_->answers(networks_.teacher(), source_.info.prior_correction);
}

template <typename Ask>
auto CandidateJudge::with(const Tensors& weights, const Ask& ask) const {
  const Tensors now = networks_.teacher_weights();
  networks_.set_teacher(weights);
  const auto answer = ask(networks_.teacher());
  networks_.set_teacher(now);
  return answer;
}

Judgement CandidateJudge::judge(const Contest& contest, LearnerCounts& counts) {
  counts.since_judged = 0;
  std::optional<Finalist> best;
  std::string said = "nothing was learnt yet";
  if (contest.head) {
    best = best_of(*contest.head);
    said = best ? best->said : contest.head->made_of + " would lose too much on the canary";
  }
  if (!contest.stepped) return {decide(std::move(best), contest, said, counts)};

  Candidate candidate{networks_.teacher_weights(), {}, {}};
  candidate.version = version_of(candidate.weights);
  if (!std::isfinite(contest.loss) || !networks_.finite()) {
    counts.note(candidate);
    return decide_without_steps(std::move(best), contest, "the loss is no longer a number", counts);
  }
  candidate.score = score_now();
  counts.note(candidate);
  if (!canary_ || !config_.guards.canary)
    return {promote(std::move(candidate), "no canary is asked", counts)};
  Verdict verdict = selector_->verdict_on(candidate.score);
  std::string steps_said = selector_->compared(candidate.score);
  if (verdict == Verdict::kRollBack)
    return decide_without_steps(std::move(best), contest, steps_said, counts);
  if (verdict == Verdict::kKeep && config_.guards.part_way) {
    const auto score = [this](const Tensors& weights) { return score_of(weights); };
    if (auto part = selector_->part_of_the_way(candidate, score)) {
      candidate = std::move(part->candidate);
      candidate.version = version_of(candidate.weights);
      verdict = Verdict::kPromote;
      counts.note(candidate);
      steps_said = part->share + (" of the way: " + selector_->compared(candidate.score));
    }
  }
  if (verdict == Verdict::kPromote && counts.accepted_since_promotion == 0) {
    steps_said = "nothing of the stream was accepted; " + steps_said;
    verdict = Verdict::kKeep;
  }
  if (!best) said = steps_said;
  if (verdict == Verdict::kPromote &&
      (!best || beats(candidate, best->candidate, contest.memory, said)))
    best = Finalist{std::move(candidate), steps_said};
  return {decide(std::move(best), contest, said, counts)};
}

Judgement CandidateJudge::decide_without_steps(std::optional<Finalist> best, const Contest& contest,
                                               const std::string& why, LearnerCounts& counts) {
  const double rate = std::max(kMinRate, counts.rate / 2);
  const bool head_serves = best && objection_to(*best, contest).empty();
  if (head_serves) {
    counts.note(best->candidate);
    promote(std::move(best->candidate), best->said + "; gradient steps are rolled back: " + why,
            counts);
    ++counts.rollbacks;
  } else {
    ++counts.rollbacks_in_a_row;
    counts.decide(&LearnerCounts::rollbacks, "rolled back", why);
  }
  counts.rate = rate;
  return {head_serves ? Outcome::kPromoted : Outcome::kRolledBack, /*steps_rolled_back=*/true};
}

Outcome CandidateJudge::decide(std::optional<Finalist> best, const Contest& contest,
                               const std::string& said, LearnerCounts& counts) {
  const auto keep = [&](const std::string& why) {
    counts.decide(&LearnerCounts::kept, "kept", why);
    return Outcome::kKept;
  };
  if (!best) return keep(said);
  counts.note(best->candidate);
  if (const std::string objection = objection_to(*best, contest); !objection.empty())
    return keep(objection + "; " + best->said);
  return promote(std::move(best->candidate), best->said, counts);
}

std::string CandidateJudge::objection_to(const Finalist& best, const Contest& contest) {
  if (best.candidate.version == serving().version) return "it is what serves already";
  if (contest.labels.empty()) return {};
  const double now = recall_on(contest.labels, serving().weights);
  const double then = recall_on(contest.labels, best.candidate.weights);
  if (then >= now) return {};
  char text[120];
  std::snprintf(text, sizeof text,
                "macro recall on the stream's labelled faces would fall from %.1f to %.1f %%",
                100 * now, 100 * then);
  return text;
}

std::optional<CandidateJudge::Finalist> CandidateJudge::best_of(const HeadProposal& proposal) {
  const LinearHead source_head = LinearHead::of(source_.weights);
  const bool judged = canary_ && config_.guards.canary;
  for (const auto& [share, name] :
       {std::pair{1.0, ""}, {0.5, "half of "}, {0.25, "a quarter of "}}) {
    Candidate candidate{
        source_head.towards(proposal.head, share).put_into(source().weights), {}, {}};
    candidate.score = score_of(candidate.weights);
    if (judged && selector_->verdict_on(candidate.score) != Verdict::kPromote) continue;
    candidate.version = version_of(candidate.weights);
    std::string said = name + ("the way to " + proposal.made_of);
    if (share == 1) said = proposal.made_of;
    if (judged) said += ": " + selector_->compared(candidate.score);
    return Finalist{std::move(candidate), std::move(said)};
  }
  return std::nullopt;
}

bool CandidateJudge::beats(const Candidate& steps, const Candidate& head,
                           const SampleMemory& memory, std::string& said) {
  const auto sum = [](const CanaryScore& score) { return score.macro_recall + score.accuracy; };
  if (sum(steps.score) <= sum(head.score)) {
    said += "; gradient steps are no better on the canary";
    return false;
  }
  const MirrorAgreement mirror(memory, source_.info, networks_);
  const auto agreement = [&](Network& network) { return mirror.of(network); };
  if (with(steps.weights, agreement) < with(head.weights, agreement)) {
    said += "; gradient steps tell faces and their mirror images apart more often";
    return false;
  }
  return true;
}

double CandidateJudge::recall_on(const StreamLabels& labels, const Tensors& weights) {
  torch::NoGradGuard no_grad;
  const torch::Tensor activations =
      labels.activations(networks_.activation_shape()).to(networks_.teacher()->device());
  Confusion confusion(source_.info.labels);
  with(weights, [&](Network& network) {
    const auto split_point = static_cast<std::size_t>(networks_.split_point());
    count_predictions(network->head_blocks(activations, split_point).to(torch::kCPU),
                      labels.labels(), confusion);
    return 0;
  });
  return confusion.macro_recall();
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

CanaryScore CandidateJudge::score_now() {
  return canary_ ? canary_->score(networks_.teacher()) : CanaryScore();
}

CanaryScore CandidateJudge::score_of(const Tensors& weights) {
  return with(weights, [this](Network&) { return score_now(); });
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
  return fer::version_of(ModelFile{info_with(upper), weights_with(upper)});
}

ModelInfo CandidateJudge::info_with(const Tensors& upper) const {
  ModelInfo info = source_.info;
  if (source_answers_.empty()) return info;
  const auto answers = with(upper, [&](Network& network) {
    return canary_->answers(network, source_.info.prior_correction);
  });
  info.operating_points = adapted_operating_points(info.operating_points, source_answers_, answers);
  return info;
}

CandidateJudge::Tensors CandidateJudge::weights_with(const Tensors& upper) const {
  Tensors weights = source_.weights;
  for (const auto& [name, tensor] : upper) weights[name] = tensor.detach();
  return weights;
}

}  // namespace fer
