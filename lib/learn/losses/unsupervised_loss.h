// What a training step makes of its unlabelled rows: both policies, both losses and their gradient
// in one call, on the processor or on a CUDA device.
#pragma once

#include <torch/types.h>

#include <memory>

#include "learn/policies/negative_policy.h"
#include "learn/policies/threshold_policy.h"

namespace fer {

/// All tensors lie where the student's logits lay.
struct UnsupervisedLosses {
  PseudoLabels pseudo;
  torch::Tensor chosen;    ///< N x C, bool: S(u), the classes that each row is taught not to be.
  torch::Tensor losses;    ///< 2, fp32: L_u and L_n, means over the rows.
  torch::Tensor gradient;  ///< N x C, fp32: of λ_u L_u + λ_n L_n at the student's logits.
};

/// kernels::pseudo_label_step() over tensors. On a CUDA device it runs by libfer-cuda, with the
/// state of the thresholds there, and waits for nothing; where that library does not open, on the
/// processor, which then waits for the device in each step. Not thread-safe.
class UnsupervisedLoss {
 public:
  /// Takes over what `thresholds` has learnt.
  UnsupervisedLoss(const ThresholdPolicy& thresholds, const NegativePolicy& negatives, int classes,
                   torch::Device device);
  ~UnsupervisedLoss();

  /// Takes over other numbers than it has learnt itself, and other negatives.
  void set_state(const kernels::ThresholdState& state);
  void set_negatives(const kernels::NegativeRule& rule);

  /// Moves the thresholds by the step, and labels its rows. `student`: N x C, logits of the strong
  /// views; no gradient is tracked. With λ_n = 0 no negatives are looked for.
  UnsupervisedLosses operator()(const PolicyInput& step, const torch::Tensor& student,
                                double lambda_u, double lambda_n);

  /// What was learnt, for a policy of the same kind. Waits for the device.
  kernels::ThresholdState state() const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
