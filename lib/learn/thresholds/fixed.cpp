#include <torch/torch.h>

#include "learn/thresholds/threshold_policies.h"

namespace fer {
namespace {

/// One threshold for all classes and all times: accepted where max q >= τ, τ = 0.95.
///
/// FixMatch: Sohn et al., NeurIPS 2020, arXiv 2001.07685. Stateless.
class Fixed : public ThresholdPolicy {
 public:
  Fixed(int classes, double tau) : ThresholdPolicy(classes), tau_(tau) {}

  torch::Tensor thresholds() const override {
    return torch::full({classes()}, tau_, torch::kFloat);
  }

 private:
  void learn(const PolicyStep&, const torch::Tensor&, const torch::Tensor&) override {}
  torch::Tensor weigh(const torch::Tensor& confidence, const torch::Tensor&) const override {
    return (confidence >= tau_).to(torch::kFloat);
  }

  const double tau_;
};

}  // namespace

std::unique_ptr<ThresholdPolicy> make_fixed(PolicyOptions& options, int classes, std::int64_t) {
  return std::make_unique<Fixed>(classes, options.get("tau", 0.95, 0, 1));
}

}  // namespace fer
