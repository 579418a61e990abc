#include <torch/torch.h>

#include <cmath>

#include "learn/thresholds/threshold_policies.h"

namespace fer {
namespace {

/// A threshold a class from the teacher's confidence on labelled rows, once an epoch:
///
///   T_c = max(T_min, β · m_c / (1 + e^−epoch)),  β = 0.97, T_min = 0.8,
///
/// m_c the mean of max q over the labelled rows of class c that were rightly predicted in the epoch
/// that ended; T_min where there was none, and before the first epoch ends.
///
/// Ada-CM: Li et al., CVPR 2022, arXiv 2203.12341, and the constants of its published code. Its
/// contrastive loss on what is not accepted is no threshold, and is not here; its confidence is the
/// mean over two weak views, here one. State: sums and counts of the epoch at hand, T (C each), its
/// number.
class AdaCm : public ThresholdPolicy {
 public:
  AdaCm(int classes, double beta, double least)
      : ThresholdPolicy(classes), beta_(beta), least_(least) {
    state_["sum"] = torch::zeros({classes});
    state_["count"] = torch::zeros({classes});
    state_["thresholds"] = torch::full({classes}, least, torch::kFloat);
    state_["epoch"] = torch::zeros({1});
  }

  bool uses_labelled() const override { return true; }
  torch::Tensor thresholds() const override { return state_.at("thresholds"); }

 private:
  void learn(const PolicyStep& step, const torch::Tensor&, const torch::Tensor&) override {
    torch::Tensor &sum = state_["sum"], &count = state_["count"], &t = state_["thresholds"];
    torch::Tensor& epoch = state_["epoch"];
    // On the device, so that nothing waits for it: what an epoch's end changes, where one ended.
    const torch::Tensor ended = epoch != step.epoch;
    const double rise = 1 / (1 + std::exp(-static_cast<double>(step.epoch)));
    const torch::Tensor next = (sum / count.clamp_min(1) * (beta_ * rise)).clamp_min(least_);
    t = torch::where(ended, next, t);
    sum = sum.masked_fill(ended, 0);
    count = count.masked_fill(ended, 0);
    epoch = torch::full_like(epoch, step.epoch);

    const auto [confidence, predicted] = step.labelled.max(1);
    const torch::Tensor right = (predicted == step.labels).to(torch::kFloat);
    sum = sum + sum_by_class(confidence * right, step.labels);
    count = count + sum_by_class(right, step.labels);
  }

  const double beta_, least_;
};

}  // namespace

std::unique_ptr<ThresholdPolicy> make_ada_cm(PolicyOptions& options, int classes, std::int64_t) {
  const double beta = options.get("beta", 0.97, 0, 1);
  return std::make_unique<AdaCm>(classes, beta, options.get("t-min", 0.8, 0, 1));
}

}  // namespace fer
