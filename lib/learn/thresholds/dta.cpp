#include <torch/torch.h>

#include <cmath>

#include "learn/thresholds/threshold_policies.h"

namespace fer {
namespace {

/// Dynamic threshold adjustment: Ada-CM's threshold, moved by every step instead of every epoch:
///
///   T_c(t) = clip(β · m_c · r(t), T_min, T_max),   r(t) = 1 / (1 + e^(−t/R)),
///
/// m_c the running mean of the teacher's confidence on the labelled rows of class c that it gets
/// right: each such row counts 1 − d, and what came before fades by d (d = 0.99, about the last
/// hundred rows), divided by the weight that has come together, so that the first row is the first
/// mean. A class without one has T_min. β = 0.97, T_min = 0.8, T_max = 0.95, R = 500 steps.
///
/// Our reconstruction of DTA (Cai et al. 2026, arXiv 2601.05556), of which we know the abstract,
/// not the formulas, on the ground of Ada-CM (arXiv 2203.12341). State: weighted sum, weight, T (C
/// each).
class Dta : public ThresholdPolicy {
 public:
  struct Settings {
    double beta, least, most, decay, ramp;
  };
  Dta(int classes, const Settings& settings) : ThresholdPolicy(classes), s_(settings) {
    state_["sum"] = torch::zeros({classes});
    state_["weight"] = torch::zeros({classes});
    state_["thresholds"] = torch::full({classes}, s_.least, torch::kFloat);
  }

  bool uses_labelled() const override { return true; }
  torch::Tensor thresholds() const override { return state_.at("thresholds"); }

 private:
  void learn(const PolicyStep& step, const torch::Tensor&, const torch::Tensor&) override {
    const auto [confidence, predicted] = step.labelled.max(1);
    const torch::Tensor right = (predicted == step.labels).to(torch::kFloat);
    const torch::Tensor count = sum_by_class(right, step.labels);
    const torch::Tensor mean = sum_by_class(confidence * right, step.labels) / count.clamp_min(1);
    // The rows of one step are taken as one block: the past fades by d for each of them.
    const torch::Tensor kept = torch::pow(s_.decay, count);
    torch::Tensor &sum = state_["sum"], &weight = state_["weight"];
    sum = sum * kept + (1 - kept) * mean;
    weight = weight * kept + (1 - kept);
    const double rise = 1 / (1 + std::exp(-static_cast<double>(step.step) / s_.ramp));
    const torch::Tensor m = sum / weight.clamp_min(1e-12);
    state_["thresholds"] = (m * (s_.beta * rise)).clamp(s_.least, s_.most);
  }

  const Settings s_;
};

}  // namespace

std::unique_ptr<ThresholdPolicy> make_dta(PolicyOptions& options, int classes, std::int64_t) {
  Dta::Settings s{};
  s.beta = options.get("beta", 0.97, 0, 2);
  s.least = options.get("t-min", 0.8, 0, 1);
  s.most = options.get("t-max", 0.95, s.least, 1);
  s.decay = options.get("decay", 0.99, 0, 0.999999);
  s.ramp = options.get("ramp", 500, 1, 1e9);
  return std::make_unique<Dta>(classes, s);
}

}  // namespace fer
