// Stochastic gradient descent with its state in plain sight.
#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>

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
    for (auto& [name, parameter] : parameters_) {
      torch::Tensor gradient = parameter.grad();
      if (!gradient.defined()) continue;
      if (parameter.dim() > 1) gradient.add_(parameter, weight_decay_);
      torch::Tensor& v = velocity[name];
      v.mul_(momentum_).add_(gradient);
      parameter.add_(gradient, -learning_rate).add_(v, -learning_rate * momentum_);
      parameter.mutable_grad().reset();
    }
  }

  std::map<std::string, torch::Tensor> velocity;  ///< By parameter name.

 private:
  std::map<std::string, torch::Tensor> parameters_;
  const double momentum_, weight_decay_;
};

}  // namespace fer
