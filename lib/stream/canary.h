// Whether a candidate may serve.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "learn/metrics.h"
#include "stream/labelled_faces.h"

namespace fer {

enum class Verdict {
  kPromote,   ///< It may serve.
  kKeep,      ///< Learning goes on from it, but it does not serve.
  kRollBack,  ///< It is thrown away.
};

/// All scores are macro recalls on the canary. A candidate serves where it is not below the better
/// of source and serving model by more than `margin`, so that small losses cannot add up; one that
/// lost more than `rollback_margin`, or is no number, is thrown away.
Verdict judge(double candidate, double serving, double source, double margin,
              double rollback_margin);

/// A small balanced labelled set, disjoint from the replay.
class Canary {
 public:
  /// At most `per_class` faces of each class. `network` makes their activations once and for all:
  /// the half below the cut never changes.
  Canary(const LabelledFaces& faces, Network& network, const std::vector<std::string>& labels,
         int per_class, std::uint64_t seed);

  /// Of a network in evaluation mode that shares the half below the cut.
  Confusion score(Network& network) const;

  std::int64_t size() const { return labels_.size(0); }

 private:
  const std::vector<std::string> names_;
  const std::size_t cut_;
  torch::Tensor activations_, labels_;
};

}  // namespace fer
