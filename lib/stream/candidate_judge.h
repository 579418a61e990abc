// Which candidate serves: the canary's scores, the verdict on them, and the way back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/model_file.h"
#include "stream/adapted_networks.h"
#include "stream/canary.h"
#include "stream/learner_config.h"
#include "stream/learner_counts.h"
#include "stream/model_selector.h"
#include "stream/outcome.h"

namespace fer {

/// Scores candidates on the canary, lets those serve that lost nothing, and counts each decision.
class CandidateJudge {
 public:
  using Tensors = AdaptedNetworks::Tensors;

  /// `networks`, whose teacher is the source yet, must outlive it. `canary`: nullopt scores
  /// nothing and promotes every candidate.
  CandidateJudge(const OnlineConfig& config, const ModelFile& source, AdaptedNetworks& networks,
                 std::optional<Canary> canary);

  /// Decides on the teacher as it is. `loss`: of the last step; where it is no number, the
  /// candidate goes. After a rollback, the networks must start anew from serving().
  Outcome judge(double loss, LearnerCounts& counts);

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

  /// Content hash of the source with these weights above the cut.
  std::string version_of(const Tensors& upper) const;
  /// The source's weights, with these above the cut.
  Tensors weights_with(const Tensors& upper) const;

 private:
  CanaryScore score_now();
  CanaryScore score_of(const Tensors& weights);
  Outcome promote(Candidate candidate, const std::string& reason, LearnerCounts& counts);
  Outcome roll_back_candidate(const std::string& reason, LearnerCounts& counts);

  const OnlineConfig config_;
  const ModelFile& source_;
  AdaptedNetworks& networks_;
  std::optional<Canary> canary_;
  std::optional<ModelSelector> selector_;  ///< Always there, once it is made.
};

}  // namespace fer
