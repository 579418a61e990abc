// Whether a candidate may serve.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "learn/evaluation/metrics.h"
#include "model/model_info.h"
#include "stream/labelled_faces.h"
#include "stream/operating_points.h"

namespace fer {

enum class Verdict {
  kPromote,   ///< It may serve.
  kKeep,      ///< Learning goes on from it, but it does not serve.
  kRollBack,  ///< It is thrown away.
};

/// What a network knows of the canary's faces, from 0 to 1.
struct CanaryScore {
  double macro_recall = 0;
  /// Accuracy with each class weighted as in the model's prior. It sees what macro recall does not:
  /// a common class that is lost for the sake of a rare one.
  double accuracy = 0;
};

/// A candidate may serve where neither score falls more than `margin` below the better of source
/// and serving model. The source is a measure, too, so that small losses cannot add up. A candidate
/// that lost more than `rollback_margin` of either score, or whose score is no number, is thrown
/// away.
Verdict judge(const CanaryScore& candidate, const CanaryScore& serving, const CanaryScore& source,
              double margin, double rollback_margin);

/// A small balanced labelled set, disjoint from the replay.
class Canary {
 public:
  /// At most `per_class` faces of each class of the model. `network` makes their activations once
  /// and for all: the half below the split point never changes.
  Canary(const LabelledFaces& faces, Network& network, const ModelInfo& model, int per_class,
         std::uint64_t seed);

  /// Of a network in evaluation mode that shares the half below the split point.
  CanaryScore score(Network& network) const;
  Confusion confusion(Network& network) const;
  /// What the network says of each face, after to_probabilities() with this prior correction.
  std::vector<LabelledAnswer> answers(Network& network, double prior_correction) const;
  /// A weighted quantile of the network's confidence: the one below which `share` of the faces
  /// lies. Faces are weighted so that each class counts as often as the model's prior says.
  float doubt(Network& network, double share) const;

  std::int64_t size() const { return labels_.size(0); }

 private:
  /// Calls `see(logits, labels)` with the network's answers, some faces at a time, in the
  /// processor's memory.
  template <typename See>
  void ask(Network& network, See&& see) const;

  const std::vector<std::string> names_;
  const std::vector<float> prior_;
  const std::size_t split_point_;
  torch::Tensor activations_;  ///< Where the network lay.
  torch::Tensor labels_;
};

}  // namespace fer
