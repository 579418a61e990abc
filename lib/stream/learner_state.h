// What a learner goes on from after a restart, in a checkpoint and back.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "learn/policies/threshold_policy.h"
#include "learn/run/checkpoint.h"
#include "model/model_info.h"
#include "stream/adapted_networks.h"
#include "stream/candidate_judge.h"
#include "stream/face_ingestion.h"
#include "stream/learner_counts.h"
#include "stream/memory_state.h"
#include "stream/self_trainer.h"

namespace fer {

/// References to all that a learner learns. Serialises it, and restores it all or not at all.
class LearnerState {
 public:
  LearnerState(const ModelInfo& source, const OnlineConfig& config, AdaptedNetworks& networks,
               FaceIngestion& ingestion, SelfTrainer& trainer, CandidateJudge& judge,
               LearnerCounts& counts)
      : source_(source),
        config_(config),
        networks_(networks),
        ingestion_(ingestion),
        trainer_(trainer),
        judge_(judge),
        counts_(counts) {}

  Checkpoint save() const;
  /// Throws std::runtime_error where the state is another model's, or broken; then nothing changed.
  void restore(const Checkpoint& kept);

 private:
  FaceShape face_shape() const;

  const ModelInfo& source_;
  const OnlineConfig& config_;
  AdaptedNetworks& networks_;
  FaceIngestion& ingestion_;
  SelfTrainer& trainer_;
  CandidateJudge& judge_;
  LearnerCounts& counts_;
};

}  // namespace fer
