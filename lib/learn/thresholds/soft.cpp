#include <torch/torch.h>

#include <cmath>

#include "learn/thresholds/threshold_policies.h"

namespace fer {
namespace {

/// Every row counts, less the further its confidence stays below the mean:
///
///   weight = exp(−min(max q − μ, 0)² / (2σ²/4)),
///   μ ← m μ + (1 − m) mean_u max q,   σ² ← m σ² + (1 − m) var_u max q,   m = 0.999,
///
/// with the unbiased variance of the step's rows; μ = 1/C and σ² = 1 at first. The divisor 4 is the
/// reference code's two sigmas.
///
/// SoftMatch: Chen et al., ICLR 2023, arXiv 2301.10921, without its uniform alignment, which
/// supposes that all classes are equally frequent. The threshold shown for a class is the
/// confidence of weight 1/2. State: μ and σ².
class Soft : public ThresholdPolicy {
 public:
  Soft(int classes, double momentum, double sigmas)
      : ThresholdPolicy(classes), momentum_(momentum), divisor_(sigmas * sigmas) {
    state_["mean"] = torch::full({1}, 1.0 / classes, torch::kFloat);
    state_["variance"] = torch::ones({1});
  }

  torch::Tensor thresholds() const override {
    // exp(−d² / (2σ²/4)) = 1/2 at d = sqrt(ln 2 · 2σ²/4).
    const torch::Tensor distance = (state_.at("variance") * (2 * std::log(2.0) / divisor_)).sqrt();
    return (state_.at("mean") - distance).clamp_min(0).expand({classes()});
  }

 private:
  void learn(const PolicyStep&, const torch::Tensor& confidence, const torch::Tensor&) override {
    const auto n = confidence.size(0);
    if (n == 0) return;
    state_["mean"] = state_["mean"] * momentum_ + (1 - momentum_) * confidence.mean();
    // One row says nothing of the spread.
    if (n == 1) return;
    state_["variance"] =
        state_["variance"] * momentum_ + (1 - momentum_) * confidence.var(/*unbiased=*/true);
  }

  torch::Tensor weigh(const torch::Tensor& confidence, const torch::Tensor&) const override {
    const torch::Tensor below = (confidence - state_.at("mean")).clamp_max(0);
    // Where all rows are equally sure, the variance dies away; the weight of the mean stays 1.
    const torch::Tensor variance = state_.at("variance").clamp_min(1e-12);
    return torch::exp(-below * below / (2 * variance / divisor_));
  }

  const double momentum_, divisor_;
};

}  // namespace

std::unique_ptr<ThresholdPolicy> make_soft(PolicyOptions& options, int classes, std::int64_t) {
  const double momentum = options.get("momentum", 0.999, 0, 1);
  return std::make_unique<Soft>(classes, momentum, options.get("sigmas", 2, 0.1, 10));
}

}  // namespace fer
