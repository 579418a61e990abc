// AdamW whose state is plain tensors by name.
#pragma once

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <torch/nn/module.h>
#include <torch/utils.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace fer {

/// AdamW (Loshchilov, Hutter 2019) with decay on kernels only. As Sgd, it keeps its state by
/// parameter name, so that a checkpoint is plain tensors.
class AdamW {
 public:
  AdamW(torch::nn::Module& module, double weight_decay) : weight_decay_(weight_decay) {
    state["steps"] = torch::zeros({1});
    for (const auto& item : module.named_parameters()) {
      parameters_[item.key()] = item.value();
      state["mean." + item.key()] = torch::zeros_like(item.value());
      state["square." + item.key()] = torch::zeros_like(item.value());
    }
  }

  /// Updates the parameters by their gradients, and clears those.
  void step(double learning_rate) {
    torch::NoGradGuard no_grad;
    state["steps"] += 1;
    const double steps = state["steps"].item<double>();
    const double mean_share = 1 - std::pow(kMeanDecay, steps);
    const double square_share = 1 - std::pow(kSquareDecay, steps);
    // Lists, as in Sgd.
    std::vector<torch::Tensor> all, gradients, means, squares, kernels;
    for (auto& [name, parameter] : parameters_) {
      const torch::Tensor gradient = parameter.grad();
      if (!gradient.defined()) continue;
      all.push_back(parameter);
      gradients.push_back(gradient);
      means.push_back(state.at("mean." + name));
      squares.push_back(state.at("square." + name));
      if (parameter.dim() > 1) kernels.push_back(parameter);
      parameter.mutable_grad().reset();
    }
    if (all.empty()) return;
    if (!kernels.empty()) torch::_foreach_mul_(kernels, 1 - learning_rate * weight_decay_);
    torch::_foreach_mul_(means, kMeanDecay);
    torch::_foreach_add_(means, gradients, 1 - kMeanDecay);
    torch::_foreach_mul_(squares, kSquareDecay);
    torch::_foreach_addcmul_(squares, gradients, gradients, 1 - kSquareDecay);
    std::vector<torch::Tensor> spread = torch::_foreach_div(squares, square_share);
    torch::_foreach_sqrt_(spread);
    torch::_foreach_add_(spread, kEpsilon);
    torch::_foreach_addcdiv_(all, means, spread, -learning_rate / mean_share);
  }

  /// "steps", and "mean." and "square." with each parameter's name.
  std::map<std::string, torch::Tensor> state;

 private:
  static constexpr double kMeanDecay = 0.9, kSquareDecay = 0.999, kEpsilon = 1e-8;

  std::map<std::string, torch::Tensor> parameters_;
  const double weight_decay_;
};

}  // namespace fer
