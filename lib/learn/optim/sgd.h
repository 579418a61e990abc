// Stochastic gradient descent whose state is plain tensors by name.
#pragma once

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <torch/nn/module.h>
#include <torch/utils.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace fer {

/// SGD with Nesterov momentum and decay on kernels only. LibTorch's own optimiser keys its state by
/// address and serialises it as a TorchScript archive; this one keeps it by parameter name, so that
/// a checkpoint is plain tensors.
class Sgd {
 public:
  /// `scale_of`: a factor of each parameter's learning rate, by its name; empty: 1.
  Sgd(torch::nn::Module& module, double momentum, double weight_decay,
      const std::function<double(const std::string&)>& scale_of = {})
      : momentum_(momentum), weight_decay_(weight_decay) {
    for (const auto& item : module.named_parameters()) {
      parameters_[item.key()] = item.value();
      velocity[item.key()] = torch::zeros_like(item.value());
      scale_[item.key()] = scale_of ? scale_of(item.key()) : 1.0;
    }
  }

  /// Updates the parameters by their gradients, and clears those.
  void step(double learning_rate) {
    torch::NoGradGuard no_grad;
    // Lists rather than tensors one by one: fewer launches on a device.
    std::vector<torch::Tensor> gradients, velocities, kernels, of_kernels;
    // By learning rate: the parameters of one take their step together.
    std::map<double, Group> groups;
    for (auto& [name, parameter] : parameters_) {
      const torch::Tensor gradient = parameter.grad();
      if (!gradient.defined()) continue;
      Group& group = groups[scale_.at(name)];
      group.parameters.push_back(parameter);
      group.gradients.push_back(gradient);
      group.velocities.push_back(velocity.at(name));
      gradients.push_back(gradient);
      velocities.push_back(velocity.at(name));
      if (parameter.dim() > 1) {
        kernels.push_back(parameter);
        of_kernels.push_back(gradient);
      }
      parameter.mutable_grad().reset();
    }
    if (gradients.empty()) return;
    if (!kernels.empty()) torch::_foreach_add_(of_kernels, kernels, weight_decay_);
    torch::_foreach_mul_(velocities, momentum_);
    torch::_foreach_add_(velocities, gradients);
    for (auto& [scale, group] : groups) {
      const double rate = learning_rate * scale;
      torch::_foreach_add_(group.parameters, group.gradients, -rate);
      torch::_foreach_add_(group.parameters, group.velocities, -rate * momentum_);
    }
  }

  std::map<std::string, torch::Tensor> velocity;  ///< By parameter name.

 private:
  struct Group {
    std::vector<torch::Tensor> parameters, gradients, velocities;
  };

  std::map<std::string, torch::Tensor> parameters_;
  std::map<std::string, double> scale_;  ///< By parameter name.
  const double momentum_, weight_decay_;
};

}  // namespace fer
