// Whether a candidate may serve.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "learn/evaluation/metrics.h"
#include "model/model_info.h"
#include "stream/labelled_faces.h"

namespace fer {

enum class Verdict {
  kPromote,   ///< It may serve.
  kKeep,      ///< Learning goes on from it, but it does not serve.
  kRollBack,  ///< It is thrown away.
};

/// What a network knows of the canary's faces, from 0 to 1.
struct CanaryScore {
  double macro_recall = 0;
  /// Were the classes as common as in the model's prior: what macro recall does not see is the loss
  /// of a common class for the sake of a rare one.
  double accuracy = 0;
};

/// A candidate serves where neither score is below the better of source and serving model by more
/// than `margin`, so that small losses cannot add up; one that lost more than `rollback_margin` of
/// either, or is no number, is thrown away.
Verdict judge(const CanaryScore& candidate, const CanaryScore& serving, const CanaryScore& source,
              double margin, double rollback_margin);

/// A small balanced labelled set, disjoint from the replay.
class Canary {
 public:
  /// At most `per_class` faces of each class of the model. `network` makes their activations once
  /// and for all: the half below the cut never changes.
  Canary(const LabelledFaces& faces, Network& network, const ModelInfo& model, int per_class,
         std::uint64_t seed);

  /// Of a network in evaluation mode that shares the half below the cut.
  CanaryScore score(Network& network) const;
  Confusion confusion(Network& network) const;
  /// The probability of its likeliest class that a network falls short of in so large a share of
  /// the faces, were the classes as common as in the model's prior.
  float doubt(Network& network, double share) const;

  std::int64_t size() const { return labels_.size(0); }

 private:
  /// Calls `see(logits, labels)` with the network's answers, some faces at a time, in the
  /// processor's memory.
  template <typename See>
  void ask(Network& network, See&& see) const;

  const std::vector<std::string> names_;
  const std::vector<float> prior_;
  const std::size_t cut_;
  torch::Tensor activations_;  ///< Where the network lay.
  torch::Tensor labels_;
};

}  // namespace fer
