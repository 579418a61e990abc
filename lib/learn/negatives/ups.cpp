#include <torch/torch.h>

#include "learn/negatives/negative_policies.h"

namespace fer {
namespace {

/// S(u) = {k : q_k < τ_n} for rows that are not accepted, τ_n = 0.05.
///
/// UPS: Rizve et al., ICLR 2021, arXiv 2101.06329, where only rows without a positive label have
/// negative ones. The paper asks in addition for a small spread of q_k over ten passes with
/// dropout; here one pass is looked at, as in its ablation without uncertainty.
class Ups : public NegativePolicy {
 public:
  explicit Ups(double tau) : tau_(tau) {}

  torch::Tensor select(const NegativeStep& step) const override {
    const torch::Tensor top = step.teacher.amax(1, /*keepdim=*/true);
    return (step.teacher < tau_) & (step.teacher < top) & ~step.accepted.unsqueeze(1);
  }

 private:
  const double tau_;
};

}  // namespace

std::unique_ptr<NegativePolicy> make_ups(PolicyOptions& options, int) {
  return std::make_unique<Ups>(options.get("tau", 0.05, 0, 1));
}

}  // namespace fer
