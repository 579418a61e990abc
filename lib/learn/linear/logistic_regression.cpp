#include "learn/linear/logistic_regression.h"

#include <torch/optim/lbfgs.h>
#include <torch/torch.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace fer {
namespace {

void require(bool good, const std::string& what) {
  if (!good) throw std::invalid_argument("logistic regression: expected " + what);
}

}  // namespace

LogisticRegression LogisticRegression::fit(const torch::Tensor& features,
                                           const torch::Tensor& labels, int classes,
                                           const LogisticRegressionConfig& config,
                                           const torch::Tensor& weights) {
  torch::NoGradGuard no_grad;
  require(features.dim() == 2 && features.size(0) > 0, "N x D features of at least one row");
  const auto n = features.size(0), d = features.size(1);
  require(labels.dim() == 1 && labels.size(0) == n, "one label a row");
  require(labels.min().item<std::int64_t>() >= 0 && labels.max().item<std::int64_t>() < classes,
          "labels in [0, " + std::to_string(classes) + ")");
  const torch::Tensor x = features.to(torch::kCPU, torch::kDouble);
  require(torch::isfinite(x).all().item<bool>(), "finite features");
  torch::Tensor share = torch::full({n, 1}, 1.0 / static_cast<double>(n), torch::kDouble);
  if (weights.defined()) {
    require(weights.dim() == 1 && weights.size(0) == n, "one weight a row");
    share = weights.to(torch::kCPU, torch::kDouble).unsqueeze(1);
    require((share >= 0).all().item<bool>() && share.sum().item<double>() > 0,
            "weights that are not negative and not all zero");
    share = share / share.sum();
  }
  const torch::Tensor mean = (share * x).sum(0, /*keepdim=*/true);
  const torch::Tensor spread = (share * (x - mean).square()).sum(0, /*keepdim=*/true).sqrt();
  // A feature that never changes tells nothing apart.
  const torch::Tensor deviation = torch::where(spread > 1e-12, spread, torch::ones_like(spread));
  const torch::Tensor z = (x - mean) / deviation;
  const torch::Tensor target = torch::zeros({n, classes}, torch::kDouble)
                                   .scatter_(1, labels.to(torch::kCPU).unsqueeze(1), 1.0);

  torch::Tensor weight = torch::zeros({classes, d}, torch::kDouble);
  torch::Tensor bias = torch::zeros({classes}, torch::kDouble);
  torch::optim::LBFGS solver(std::vector<torch::Tensor>{weight, bias},
                             torch::optim::LBFGSOptions(1)
                                 .max_iter(config.max_iterations)
                                 .max_eval(config.max_iterations * 2)
                                 .tolerance_grad(1e-7)
                                 .tolerance_change(1e-10)
                                 .history_size(10)
                                 .line_search_fn("strong_wolfe"));
  solver.step([&] {
    const torch::Tensor logits = torch::addmm(bias, z, weight.t());
    const torch::Tensor log_p = torch::log_softmax(logits, 1);
    const torch::Tensor error = share * (log_p.exp() - target);
    weight.mutable_grad() = error.t().mm(z) + config.l2 * weight;
    bias.mutable_grad() = error.sum(0);
    return -(share * log_p * target).sum() + 0.5 * config.l2 * weight.square().sum();
  });

  LogisticRegression fitted;
  fitted.weight_ = weight / deviation;
  fitted.bias_ = bias - (fitted.weight_ * mean).sum(1);
  return fitted;
}

torch::Tensor LogisticRegression::logits(const torch::Tensor& features) const {
  torch::NoGradGuard no_grad;
  return torch::addmm(bias_, features.to(torch::kCPU, torch::kDouble), weight_.t());
}

}  // namespace fer
