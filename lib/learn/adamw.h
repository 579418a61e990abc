// Adam with decoupled weight decay, with its state in plain sight.
#pragma once

#include <torch/nn/module.h>

#include <cmath>
#include <map>
#include <string>

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

  /// One step along the parameters' gradients, which are cleared.
  void step(double learning_rate) {
    torch::NoGradGuard no_grad;
    state["steps"] += 1;
    const double steps = state["steps"].item<double>();
    const double mean_share = 1 - std::pow(kMeanDecay, steps);
    const double square_share = 1 - std::pow(kSquareDecay, steps);
    for (auto& [name, parameter] : parameters_) {
      const torch::Tensor gradient = parameter.grad();
      if (!gradient.defined()) continue;
      if (parameter.dim() > 1) parameter.mul_(1 - learning_rate * weight_decay_);
      torch::Tensor& mean = state["mean." + name];
      torch::Tensor& square = state["square." + name];
      mean.lerp_(gradient, 1 - kMeanDecay);
      square.mul_(kSquareDecay).addcmul_(gradient, gradient, 1 - kSquareDecay);
      parameter.addcdiv_(mean, (square / square_share).sqrt_().add_(kEpsilon),
                         -learning_rate / mean_share);
      parameter.mutable_grad().reset();
    }
  }

  /// "steps", and "mean." and "square." with each parameter's name.
  std::map<std::string, torch::Tensor> state;

 private:
  static constexpr double kMeanDecay = 0.9, kSquareDecay = 0.999, kEpsilon = 1e-8;

  std::map<std::string, torch::Tensor> parameters_;
  const double weight_decay_;
};

}  // namespace fer
