// The policies once more, as tensor operations: how a researcher would write them in PyTorch. What
// pseudo_label_step() is held against, and timed against.
#pragma once

#include <torch/types.h>

#include <memory>

#include "learn/policies/negative_policy.h"
#include "learn/policies/threshold_policy.h"

namespace fer::test {

/// A threshold policy whose state is tensors.
class TensorThresholds {
 public:
  virtual ~TensorThresholds() = default;
  PseudoLabels update_and_label(const PolicyInput& step);
  virtual torch::Tensor thresholds() const = 0;

 protected:
  explicit TensorThresholds(int classes) : classes_(classes) {}
  virtual void learn(const PolicyInput& step, const torch::Tensor& confidence,
                     const torch::Tensor& labels) = 0;
  virtual torch::Tensor weigh(const torch::Tensor& confidence, const torch::Tensor& labels) const;
  /// C sums of `values` (N) over the rows of each label (N, int64).
  torch::Tensor sum_by_class(const torch::Tensor& values, const torch::Tensor& labels) const;

  const int classes_;
};

/// nullptr for a policy that reads nothing of a step.
std::unique_ptr<TensorThresholds> tensor_thresholds(const kernels::ThresholdRule& rule,
                                                    int classes);

/// S(u) of all rows, N x C, bool.
torch::Tensor tensor_negatives(const kernels::NegativeRule& rule, const NegativeStep& step);

}  // namespace fer::test
