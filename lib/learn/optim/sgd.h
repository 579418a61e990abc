// Stochastic gradient descent with its state in plain sight.
#pragma once

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <torch/nn/module.h>
#include <torch/utils.h>

#include <map>
#include <string>
#include <vector>

namespace fer {

/// SGD with Nesterov momentum and decay on kernels only. LibTorch's own optimiser keys its state by
/// address and serialises it as a TorchScript archive; this one keeps it by parameter name, so that
/// a checkpoint is plain tensors.
class Sgd {
 public:
  Sgd(torch::nn::Module& module, double momentum, double weight_decay)
      : momentum_(momentum), weight_decay_(weight_decay) {
    for (const auto& item : module.named_parameters()) {
      parameters_[item.key()] = item.value();
      velocity[item.key()] = torch::zeros_like(item.value());
    }
  }

  /// One step along the parameters' gradients, which are cleared.
  void step(double learning_rate) {
    torch::NoGradGuard no_grad;
    // Lists rather than tensors one by one, so that a device is given few things to do.
    std::vector<torch::Tensor> all, gradients, velocities, kernels, of_kernels;
    for (auto& [name, parameter] : parameters_) {
      const torch::Tensor gradient = parameter.grad();
      if (!gradient.defined()) continue;
      all.push_back(parameter);
      gradients.push_back(gradient);
      velocities.push_back(velocity.at(name));
      if (parameter.dim() > 1) {
        kernels.push_back(parameter);
        of_kernels.push_back(gradient);
      }
      parameter.mutable_grad().reset();
    }
    if (all.empty()) return;
    if (!kernels.empty()) torch::_foreach_add_(of_kernels, kernels, weight_decay_);
    torch::_foreach_mul_(velocities, momentum_);
    torch::_foreach_add_(velocities, gradients);
    torch::_foreach_add_(all, gradients, -learning_rate);
    torch::_foreach_add_(all, velocities, -learning_rate * momentum_);
  }

  std::map<std::string, torch::Tensor> velocity;  ///< By parameter name.

 private:
  std::map<std::string, torch::Tensor> parameters_;
  const double momentum_, weight_decay_;
};

}  // namespace fer
