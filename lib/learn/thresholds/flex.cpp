#include <torch/torch.h>

#include <algorithm>

#include "learn/thresholds/threshold_policies.h"

namespace fer {
namespace {

/// Classes of which few rows are confident have lower thresholds:
///
///   T_c = τ · x/(2 − x),  x = σ_c / max(max_k σ_k, unused),  τ = 0.95,
///
/// where σ_c counts the unlabelled rows of class c with max q >= τ, and `unused` those below τ in
/// all (the warm-up of the paper's equation 11: with few confident rows, x stays small for all).
///
/// FlexMatch: Zhang et al., NeurIPS 2021, arXiv 2110.08263. The paper counts over the whole
/// unlabelled set by keeping a label for each row; here, so that streams can be counted too, over a
/// window of W rows whose past fades: σ ← (1 − n/W) σ + counts of the step's n rows. σ and unused
/// always sum to W, and begin as "all unused". State: σ (C) and unused.
class Flex : public ThresholdPolicy {
 public:
  Flex(int classes, double tau, double window)
      : ThresholdPolicy(classes), tau_(tau), window_(window) {
    state_["sigma"] = torch::zeros({classes});
    state_["unused"] = torch::full({1}, window, torch::kFloat);
  }

  torch::Tensor thresholds() const override {
    const torch::Tensor& sigma = state_.at("sigma");
    const torch::Tensor x = sigma / torch::maximum(sigma.max(), state_.at("unused"));
    return tau_ * x / (2 - x);
  }

 private:
  void learn(const PolicyStep&, const torch::Tensor& confidence,
             const torch::Tensor& labels) override {
    const auto n = static_cast<double>(confidence.size(0));
    const double kept = std::max(0.0, 1 - n / window_);
    const torch::Tensor confident = (confidence >= tau_).to(torch::kFloat);
    state_["sigma"] = state_["sigma"] * kept + sum_by_class(confident, labels);
    state_["unused"] = state_["unused"] * kept + (1 - confident).sum();
  }

  const double tau_, window_;
};

}  // namespace

std::unique_ptr<ThresholdPolicy> make_flex(PolicyOptions& options, int classes,
                                           std::int64_t window) {
  const double tau = options.get("tau", 0.95, 0, 1);
  const double rows = options.get("window", static_cast<double>(window), 1, 1e9);
  return std::make_unique<Flex>(classes, tau, rows);
}

}  // namespace fer
