// Which candidate serves: the canary's scores, the verdict on them, and the way back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "network/model_file.h"
#include "stream/adapted_networks.h"
#include "stream/canary.h"
#include "stream/head_adapter.h"
#include "stream/learner_config.h"
#include "stream/learner_counts.h"
#include "stream/model_selector.h"
#include "stream/outcome.h"
#include "stream/sample_memory.h"
#include "stream/stream_labels.h"

namespace fer {

/// What competes to serve, and by which faces.
struct Contest {
  bool stepped = false;  ///< Whether the teacher has learnt by gradient steps.
  double loss = 0;       ///< Of the last step; where it is no number, the teacher goes.
  const std::optional<HeadProposal>& head;
  const SampleMemory& memory;
  const StreamLabels& labels;
};

/// Scores candidates on the canary, lets the best of those serve that lost nothing, and counts each
/// decision.
///
/// The source with an adapted head comes first. What gradient steps made serves in its place only
/// where it is better on the canary by the mean of both scores, and reads the stream's faces and
/// their mirror images alike as often. Neither serves where it tells the stream's labelled faces
/// worse than what serves. Steps that must be rolled back take no head with them that lost nothing.
class CandidateJudge {
 public:
  using Tensors = AdaptedNetworks::Tensors;

  /// `networks`, whose teacher is the source yet, must outlive it. `canary`: nullopt scores
  /// nothing and promotes every candidate.
  CandidateJudge(const OnlineConfig& config, const ModelFile& source, AdaptedNetworks& networks,
                 std::optional<Canary> canary);

  /// Decides on the teacher as it is and on the head. Where steps were rolled back, the networks
  /// must start anew from serving().
  Judgement judge(const Contest& contest, LearnerCounts& counts);

  /// See ModelSelector::roll_back().
  bool roll_back() { return selector_->roll_back(); }
  void forget() { selector_->reset(); }

  const Candidate& source() const { return selector_->source(); }
  const Candidate& serving() const { return selector_->serving(); }
  bool source_serves() const { return selector_->source_serves(); }

  /// Goes on from a checkpoint …
  void restore(Candidate serving) { selector_->restore(std::move(serving)); }
  /// … and from models that served before, oldest first. Those of other networks are left out.
  void restore_history(const std::vector<ModelFile>& models);

  /// The version of the source with these weights above the split point.
  std::string version_of(const Tensors& upper) const;
  /// What a model with these weights above the split point says of itself: as the source, but for
  /// its operating points (adapted_operating_points() on the canary; without one, the source's).
  ModelInfo info_with(const Tensors& upper) const;
  /// The source's weights, with these above the split point.
  Tensors weights_with(const Tensors& upper) const;

 private:
  /// A candidate that may serve, and for people how it compares.
  struct Finalist {
    Candidate candidate;
    std::string said;
  };

  /// The furthest way from the source's head to the proposed one that may serve.
  std::optional<Finalist> best_of(const HeadProposal& proposal);
  /// Whether gradient steps beat the head.
  bool beats(const Candidate& steps, const Candidate& head, const SampleMemory& memory,
             std::string& said);
  /// Macro recall on the stream's labelled faces.
  double recall_on(const StreamLabels& labels, const Tensors& weights);

  /// Calls `ask(network)` with a network of these weights above the split point.
  template <typename Ask>
  auto with(const Tensors& weights, const Ask& ask) const;
  CanaryScore score_now();
  CanaryScore score_of(const Tensors& weights);
  /// Why it may not serve, for people; empty: it may.
  std::string objection_to(const Finalist& best, const Contest& contest);
  /// The end of gradient steps that lost too much.
  Judgement decide_without_steps(std::optional<Finalist> best, const Contest& contest,
                                 const std::string& why, LearnerCounts& counts);
  Outcome decide(std::optional<Finalist> best, const Contest& contest, const std::string& said,
                 LearnerCounts& counts);
  Outcome promote(Candidate candidate, const std::string& reason, LearnerCounts& counts);

  const OnlineConfig config_;
  const ModelFile& source_;
  AdaptedNetworks& networks_;
  std::optional<Canary> canary_;
  std::vector<LabelledAnswer> source_answers_;  ///< Of the canary's faces.
  std::optional<ModelSelector> selector_;       ///< Always there, once it is made.
};

}  // namespace fer
