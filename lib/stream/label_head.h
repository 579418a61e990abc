// A head that learns from a few labelled faces of the stream itself.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stream/linear_head.h"

namespace fer {

/// Labelled rows in feature space.
struct LabelledFeatures {
  torch::Tensor features;  ///< N x D.
  torch::Tensor labels;    ///< N, int64.
};

/// Logistic regression with an L2 penalty on the distance from `base`: the mean over the classes of
/// their mean cross-entropy + strength / 2 · ‖head − base‖². Each class counts alike, so that the
/// head is fitted with the prior divided out and has it added again: `prior-correction` means the
/// same as for the base. Convex; full-batch L-BFGS.
LinearHead fit_label_head(const LinearHead& base, const std::vector<float>& prior,
                          const LabelledFeatures& rows, double strength);

/// What cross-validation says of the labels.
struct LabelFit {
  double strength = 0;   ///< Of the penalty, by which the held-out faces are told best.
  double loss = 0;       ///< Class-balanced cross-entropy of held-out faces at that strength …
  double base_loss = 0;  ///< … and by the base.
  int folds = 0;

  /// Whether the labels improve on faces that they were not fitted to.
  bool improves() const { return loss < base_loss; }
};

/// Stratified cross-validation over strengths, up to five folds. nullopt where fewer than two
/// classes have two faces each: nothing can be held out.
std::optional<LabelFit> choose_strength(const LinearHead& base, const std::vector<float>& prior,
                                        const LabelledFeatures& rows, std::uint64_t seed);

}  // namespace fer
