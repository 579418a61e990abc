// One step of self-training: pseudo-labels of remembered faces beside labelled ones.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "learn/policies/negative_policy.h"
#include "learn/policies/threshold_policy.h"
#include "model/model_info.h"
#include "stream/adapted_networks.h"
#include "stream/class_balance_cap.h"
#include "stream/crop_views.h"
#include "stream/learner_config.h"
#include "stream/replay.h"
#include "stream/sample_memory.h"
#include "stream/step_report.h"
#include "stream/stream_labels.h"
#include "stream/teacher.h"
#include "util/random.h"

namespace fer {

/// Draws from the memory and the replay, lets the teacher label weak views, and moves the student
/// by its losses on strong ones (FixMatch, Sohn et al. 2020, with the guards of GuardConfig).
class SelfTrainer {
 public:
  /// `networks` and `teacher` must outlive it. `replay`: nullopt learns from the stream alone.
  SelfTrainer(const OnlineConfig& config, const ModelInfo& model, AdaptedNetworks& networks,
              const Teacher& teacher, std::optional<Replay> replay);

  /// `labels`: faces of the stream that set the thresholds beside the replay's. `steps`: steps
  /// before this one, which decide what is random. `rate`: factor on the learning rate. Relabels
  /// the drawn items of `memory`, which must not be empty. Where the loss is no number, the student
  /// stays as it was.
  StepReport step(SampleMemory& memory, const StreamLabels& labels, std::uint64_t steps,
                  double rate);

  const ThresholdPolicy& thresholds() const { return *thresholds_; }
  const ClassBalanceCap& class_balance() const { return class_balance_; }
  /// A threshold policy of these settings that has seen nothing.
  std::unique_ptr<ThresholdPolicy> new_thresholds() const;

  /// Goes on from a checkpoint.
  void restore(std::unique_ptr<ThresholdPolicy> thresholds, const std::vector<double>& accepted);
  void forget();

 private:
  /// Rows of one step, on both sides of the split point.
  struct Batch;

  Batch draw(const SampleMemory& memory, std::uint64_t steps);
  void add_views(const SampleMemory& memory, std::uint64_t steps, Batch& batch);
  /// Applies the other guards to what the thresholds accept, and counts.
  void admit(PseudoLabels& pseudo, const torch::Tensor& agrees, StepReport& done);
  void learn(const Batch& batch, const torch::Tensor& teacher, const PseudoLabels& pseudo,
             const SampleMemory& memory, std::uint64_t steps, double rate, StepReport& done);
  torch::Tensor replay_loss(const torch::Tensor& logits, const Replay::Rows& labelled);
  torch::Tensor drawn_prior(const SampleMemory& memory) const;
  ClassBalanceCap new_class_balance() const;
  Random random(int purpose, std::uint64_t steps) const;

  const OnlineConfig config_;
  const int classes_;
  AdaptedNetworks& networks_;
  const Teacher& teacher_;
  const CropViews views_;
  std::optional<Replay> replay_;
  const torch::Tensor kept_prior_;  ///< Subtracted from the student's logits in its losses, C.
  std::unique_ptr<ThresholdPolicy> thresholds_;
  std::unique_ptr<NegativePolicy> negatives_;
  ClassBalanceCap class_balance_;
};

}  // namespace fer
