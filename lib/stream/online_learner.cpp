#include "stream/online_learner.h"

#include <torch/torch.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "learn/run/checkpoint.h"
#include "model/device_name.h"
#include "network/model_file.h"
#include "stream/adapted_networks.h"
#include "stream/canary.h"
#include "stream/candidate_judge.h"
#include "stream/face_ingestion.h"
#include "stream/head_adapter.h"
#include "stream/labelled_faces.h"
#include "stream/learner_counts.h"
#include "stream/learner_state.h"
#include "stream/ood_gate.h"
#include "stream/replay.h"
#include "stream/self_trainer.h"
#include "stream/teacher.h"

namespace fer {
namespace {

/// The canary's faces per class, at most: more cost time and tell little more.
constexpr int kCanaryPerClass = 100;
/// After so many rollbacks in a row, the memory is emptied: what it holds misleads.
constexpr int kMaxRollbacks = 2;

OnlineConfig checked(OnlineConfig config) {
  config.check();
  if (!config.guards.tracklets) config.tracklet.seconds = 0;  // each frame ends the one before
  config.device = resolve_device(config.device);
  return config;
}

/// One file for both must have a split for each: what judges is not taught.
bool is_same_file(const OnlineLearner::Labelled& labelled) {
  std::error_code ignored;
  return std::filesystem::equivalent(labelled.replay, labelled.canary, ignored);
}

/// Why nothing was learnt yet, for people.
std::string why_no_step(const LearnerStats& stats) {
  std::string why = std::to_string(stats.memory) + " of the " + std::to_string(stats.min_memory) +
                    " tracklets that a first step needs are remembered";
  std::string reasons;
  for (const auto& [reason, count] : stats.refused) {
    reasons += (reasons.empty() ? "" : ", ") + std::to_string(count) + " " + reason;
  }
  if (!reasons.empty()) why += "; refused: " + reasons;
  if (stats.memory >= stats.min_memory) why += "; more tracklets must come for each step";
  return why;
}

}  // namespace

/// Wires ingestion, trainer, judge and state to one another.
class OnlineLearner::Impl {
 public:
  Impl(const ModelFile& source, const Labelled& labelled, const OnlineConfig& config)
      : config_(checked(config)),
        given_(source),
        source_(with_calibration_in_head(source)),
        replay_faces_(open(labelled.replay, "train", config_.guards.replay, "replay",
                           is_same_file(labelled))),
        networks_(source_,
                  replay_faces_ ? replay_faces_->split_point()
                                : blocks_below(source.info.network, config_.frozen_blocks),
                  config_.momentum, torch::Device(config_.device)),
        teacher_(networks_, prior_correction(source.info.prior,
                                             config_.guards.prior ? config_.prior_correction : 0)),
        canary_(open_canary(labelled)),
        ingestion_(config_, source_, networks_, teacher_, new_ood_gate()),
        trainer_(config_, source_.info, networks_, teacher_,
                 replay_faces_ ? std::optional<Replay>(replay_faces_) : std::nullopt),
        heads_(config_, source_),
        judge_(config_, source_, networks_, canary_),
        state_(source_.info, config_, networks_, ingestion_, trainer_, judge_, counts_) {
    forget();
  }

  const ModelInfo& info() const { return source_.info; }
  int split_point() const { return networks_.split_point(); }

  void observe(std::vector<FaceSample> faces) {
    expired_ |= ingestion_.expire();
    ingestion_.observe(std::move(faces), counts_);
  }
  bool expire() {
    expired_ |= ingestion_.expire();
    return std::exchange(expired_, false);
  }
  void take(Evidence evidence, std::int64_t age_s) {
    ingestion_.take(std::move(evidence), age_s, counts_);
  }
  void add_label(const FaceSample& face, int label) { ingestion_.add_label(face, label); }
  void end_of(const std::optional<std::string>& source) { ingestion_.end_of(source, counts_); }
  std::vector<LabelQuestion> questions(std::size_t n, const std::set<std::string>& hidden,
                                       const PickBy& by) const {
    return ingestion_.questions(n, hidden, by);
  }
  void settle(std::uint64_t id, std::optional<LabelAnswer> answer) {
    ingestion_.settle(id, answer);
  }

  bool can_step() const {
    return memory().size() >= std::min(config_.min_memory, memory().capacity()) &&
           static_cast<double>(counts_.drawn) + config_.batch <=
               config_.reuse * static_cast<double>(memory().added());
  }

  Step step() {
    if (config_.gradient_steps) {
      last_ = trainer_.step(ingestion_.memory(), ingestion_.labels(), counts_.steps, counts_.rate);
      counts_.add(last_.proposed, last_.accepted);
      stepped_ = true;
    } else {
      // The head needs no step; the pace at which it is made anew is the same.
      if (memory().size() == 0) throw std::logic_error("OnlineLearner: nothing is remembered");
      last_ = Step();
      last_.rows = config_.batch;
    }
    counts_.drawn += static_cast<std::uint64_t>(last_.rows);
    ++counts_.steps;
    ++counts_.since_judged;
    return last_;
  }

  std::optional<Outcome> judge_if_due() {
    if (counts_.since_judged < config_.canary_interval && std::isfinite(last_.loss))
      return std::nullopt;
    return judge_now();
  }

  Outcome judge_now() {
    const std::optional<HeadProposal> head =
        heads_.propose(ingestion_.memory(), ingestion_.labels());
    const Judgement made = judge_.judge(
        {stepped_, last_.loss, head, ingestion_.memory(), ingestion_.labels()}, counts_);
    if (made.steps_rolled_back) {
      start_from_serving();
      if (counts_.rollbacks_in_a_row >= kMaxRollbacks) {
        ingestion_.memory().clear();
        counts_.rollbacks_in_a_row = 0;
      }
    }
    return made.outcome;
  }

  bool rollback() {
    if (!judge_.roll_back()) return false;
    start_from_serving();
    // The memory stays as it is; the next candidate is judged anew.
    counts_.decide(&LearnerCounts::rollbacks, "rolled back",
                   "asked for; version " + judge_.serving().version + " serves");
    return true;
  }

  void reset() {
    forget();
    counts_.decision = "reset";
    counts_.reason = "asked for; the source, version " + source_.info.version + ", serves";
  }

  ModelFile serving() const {
    const Candidate& serving = judge_.serving();
    return judge_.source_serves()
               ? given_
               : model_of(serving.weights, serving.version, serving.score.macro_recall);
  }

  ModelFile candidate() const {
    const AdaptedNetworks::Tensors weights = networks_.teacher_weights();
    return model_of(weights, judge_.version_of(weights), counts_.candidate_score);
  }

  Checkpoint state() const { return state_.save(); }

  void restore(const Checkpoint& kept) {
    state_.restore(kept);
    last_ = Step();
    stepped_ = counts_.steps > 0 && config_.gradient_steps;
  }

  void restore_history(const std::vector<ModelFile>& models) { judge_.restore_history(models); }

  LearnerStats stats() const {
    LearnerStats s;
    const torch::Tensor thresholds = trainer_.thresholds().thresholds();
    for (int k = 0; k < source_.info.network.classes; ++k) {
      const auto c = static_cast<std::size_t>(k);
      LearnerStats::PerClass one;
      one.label = source_.info.labels[c];
      one.threshold = thresholds[k].item<double>();
      one.accept_rate = counts_.accept_rate(c);
      one.accepted = counts_.accepted[c];
      one.remembered = memory().count(k);
      s.classes.push_back(std::move(one));
    }
    s.refused = counts_.refused;
    s.faces = counts_.faces;
    s.tracklets = counts_.tracklets;
    s.memory = memory().size();
    s.min_memory = std::min(config_.min_memory, memory().capacity());
    s.labels = ingestion_.labels().size();
    s.memory_capacity = memory().capacity();
    s.steps = counts_.steps;
    s.loss = last_.loss;
    s.loss_x = last_.loss_x;
    s.loss_u = last_.loss_u;
    s.loss_n = last_.loss_n;
    s.learning_rate = config_.learning_rate * counts_.rate;
    const Candidate &source = judge_.source(), &serving = judge_.serving();
    s.source_version = source.version;
    s.serving_version = serving.version;
    s.candidate_version = counts_.candidate_version;
    s.source_score = source.score.macro_recall;
    s.serving_score = serving.score.macro_recall;
    s.candidate_score = counts_.candidate_score;
    s.source_accuracy = source.score.accuracy;
    s.serving_accuracy = serving.score.accuracy;
    s.candidate_accuracy = counts_.candidate_accuracy;
    s.promotions = counts_.promotions;
    s.rollbacks = counts_.rollbacks;
    s.kept = counts_.kept;
    s.decision = counts_.decision;
    s.reason = counts_.reason;
    if (s.steps == 0 && s.decision.empty()) s.reason = why_no_step(s);
    return s;
  }

 private:
  const SampleMemory& memory() const { return ingestion_.memory(); }

  std::unique_ptr<LabelledFaces> open(const std::filesystem::path& path, const char* split,
                                      bool needed, const char* what, bool shared) const {
    if (path.empty()) {
      if (!needed) return nullptr;
      throw std::runtime_error(std::string("learning needs labelled faces as ") + what +
                               ", but none are named and none lie beside the model");
    }
    return LabelledFaces::open(path, split, source_, config_.frozen_blocks, shared,
                               torch::Device(config_.device));
  }

  std::optional<Canary> open_canary(const Labelled& labelled) {
    const auto faces =
        open(labelled.canary, "valid", config_.guards.canary, "canary", is_same_file(labelled));
    if (!faces) return std::nullopt;
    if (faces->split_point() != split_point()) {
      throw std::runtime_error(labelled.canary.string() + ": its activations are above " +
                               std::to_string(faces->split_point()) +
                               " blocks, the replay's above " + std::to_string(split_point()));
    }
    return Canary(*faces, networks_.teacher(), source_.info, kCanaryPerClass, config_.seed);
  }

  std::optional<OodGate> new_ood_gate() {
    if (!canary_ || !config_.guards.ood_gate) return std::nullopt;
    return OodGate(canary_->doubt(networks_.teacher(), kUnsureOfKnown), config_.max_unsure);
  }

  void start_from_serving() {
    networks_.start_from(judge_.serving().weights);
    counts_.accepted_since_promotion = 0;
    last_ = Step();
    stepped_ = false;
  }

  /// All as at the beginning, except the totals in the counts.
  void forget() {
    judge_.forget();
    start_from_serving();
    ingestion_.forget();
    trainer_.forget();
    counts_.forget(static_cast<std::size_t>(source_.info.network.classes));
  }

  ModelFile model_of(const AdaptedNetworks::Tensors& upper, const std::string& version,
                     double score) const {
    ModelFile model{judge_.info_with(upper), judge_.weights_with(upper)};
    model.info.parent = source_.info.version;
    model.info.version = version;
    model.info.thresholds = trainer_.thresholds().describe();
    model.info.provenance = {{"adapted_from", source_.info.version},
                             {"online", config_},
                             {"steps", counts_.steps},
                             {"accepted", counts_.accepted},
                             {"canary_macro_recall", score}};
    return model;
  }

  const OnlineConfig config_;
  const ModelFile given_;  ///< The source as it was given.
  /// The source with its calibration in its head: evidence is calibrated, and a model that is
  /// adapted goes on from there. It has no calibration of its own.
  const ModelFile source_;
  const std::shared_ptr<const LabelledFaces> replay_faces_;
  AdaptedNetworks networks_;
  const Teacher teacher_;
  const std::optional<Canary> canary_;
  FaceIngestion ingestion_;
  SelfTrainer trainer_;
  const HeadAdapter heads_;
  CandidateJudge judge_;
  LearnerCounts counts_;
  LearnerState state_;
  Step last_;
  bool expired_ = false;  ///< Whether faces went for their age since expire() was asked.
  bool stepped_ = false;  ///< Whether the teacher has moved since it last was what serves.
};

OnlineLearner::Labelled OnlineLearner::Labelled::or_beside(
    const std::filesystem::path& model) const {
  Labelled found = *this;
  const auto look = [&](std::filesystem::path& path, const char* ending) {
    const auto file = std::filesystem::path(model).replace_extension(ending);
    std::error_code ignored;
    if (path.empty() && std::filesystem::is_regular_file(file, ignored)) path = file;
  };
  look(found.replay, ".replay");
  look(found.canary, ".canary");
  return found;
}

OnlineLearner::OnlineLearner(const ModelFile& source, const Labelled& labelled,
                             const OnlineConfig& config)
    : impl_(std::make_unique<Impl>(source, labelled, config)) {}

OnlineLearner::~OnlineLearner() = default;

const ModelInfo& OnlineLearner::info() const {
  return impl_->info();
}
int OnlineLearner::split_point() const {
  return impl_->split_point();
}
void OnlineLearner::observe(std::vector<FaceSample> faces) {
  impl_->observe(std::move(faces));
}
bool OnlineLearner::expire() {
  return impl_->expire();
}
void OnlineLearner::end_of(const std::optional<std::string>& source) {
  impl_->end_of(source);
}
void OnlineLearner::take(Evidence evidence, std::int64_t age_s) {
  impl_->take(std::move(evidence), age_s);
}
void OnlineLearner::add_label(const FaceSample& face, int label) {
  impl_->add_label(face, label);
}
std::vector<LabelQuestion> OnlineLearner::questions(std::size_t n,
                                                    const std::set<std::string>& hidden,
                                                    const PickBy& by) const {
  return impl_->questions(n, hidden, by);
}
void OnlineLearner::settle(std::uint64_t id, std::optional<LabelAnswer> answer) {
  impl_->settle(id, answer);
}
bool OnlineLearner::can_step() const {
  return impl_->can_step();
}
OnlineLearner::Step OnlineLearner::step() {
  return impl_->step();
}
std::optional<OnlineLearner::Outcome> OnlineLearner::judge_if_due() {
  return impl_->judge_if_due();
}
OnlineLearner::Outcome OnlineLearner::judge_now() {
  return impl_->judge_now();
}
bool OnlineLearner::rollback() {
  return impl_->rollback();
}
void OnlineLearner::reset() {
  impl_->reset();
}
ModelFile OnlineLearner::serving() const {
  return impl_->serving();
}
ModelFile OnlineLearner::candidate() const {
  return impl_->candidate();
}
Checkpoint OnlineLearner::state() const {
  return impl_->state();
}
void OnlineLearner::restore(const Checkpoint& state) {
  impl_->restore(state);
}
void OnlineLearner::restore_history(const std::vector<ModelFile>& served) {
  impl_->restore_history(served);
}
LearnerStats OnlineLearner::stats() const {
  return impl_->stats();
}

}  // namespace fer
