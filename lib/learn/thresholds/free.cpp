#include <torch/torch.h>

#include "learn/thresholds/threshold_policies.h"

namespace fer {
namespace {

/// A global threshold that follows the mean confidence, lowered for classes that are predicted
/// less:
///
///   τ ← λ τ + (1 − λ) mean_u max q(u),   p̃_c ← λ p̃_c + (1 − λ) mean_u q_c(u),
///   T_c = τ · p̃_c / max_k p̃_k,          λ = 0.999, both 1/C at first.
///
/// FreeMatch (its self-adaptive threshold): Wang et al., ICLR 2023, arXiv 2205.07246. The paper's
/// fairness term is a loss of its own, no threshold, and is not here. State: τ and p̃ (C).
class Free : public ThresholdPolicy {
 public:
  Free(int classes, double momentum) : ThresholdPolicy(classes), momentum_(momentum) {
    state_["tau"] = torch::full({1}, 1.0 / classes, torch::kFloat);
    state_["p"] = torch::full({classes}, 1.0 / classes, torch::kFloat);
  }

  torch::Tensor thresholds() const override {
    const torch::Tensor& p = state_.at("p");
    return state_.at("tau") * p / p.max();
  }

 private:
  void learn(const PolicyStep& step, const torch::Tensor& confidence,
             const torch::Tensor&) override {
    if (confidence.size(0) == 0) return;
    state_["tau"] = state_["tau"] * momentum_ + (1 - momentum_) * confidence.mean();
    state_["p"] = state_["p"] * momentum_ + (1 - momentum_) * step.unlabelled.mean(0);
  }

  const double momentum_;
};

}  // namespace

std::unique_ptr<ThresholdPolicy> make_free(PolicyOptions& options, int classes, std::int64_t) {
  return std::make_unique<Free>(classes, options.get("momentum", 0.999, 0, 1));
}

}  // namespace fer
