#include "learn/semi/base_head.h"

#include <torch/torch.h>

#include <algorithm>

namespace fer {
namespace {

constexpr double kMomentum = 0.999;

}  // namespace

BaseHead::BaseHead(std::int64_t features, std::int64_t classes, double momentum,
                   double weight_decay, torch::Device device)
    : head_(features, classes),
      average_(features, classes),
      sgd_(*head_, momentum, weight_decay),
      marginal_(torch::full({classes}, 1.0 / static_cast<double>(classes), torch::kFloat)) {
  torch::NoGradGuard no_grad;
  // Nothing is known at first, and the run's other random numbers stay what they are without it.
  for (torch::nn::Linear* linear : {&head_, &average_}) {
    for (torch::Tensor& parameter : (*linear)->parameters()) parameter.zero_();
    (*linear)->to(device);
  }
  marginal_ = marginal_.to(device);
}

void BaseHead::step(double learning_rate, double ema, std::int64_t steps) {
  sgd_.step(learning_rate);
  const auto n = static_cast<double>(steps + 1);
  const double decay = std::min(ema, (1 + n) / (10 + n));
  torch::NoGradGuard no_grad;
  average_->weight.lerp_(head_->weight, 1 - decay);
  average_->bias.lerp_(head_->bias, 1 - decay);
}

void BaseHead::observe(const torch::Tensor& probabilities) {
  marginal_ = kMomentum * marginal_ + (1 - kMomentum) * probabilities.mean(0);
}

torch::Tensor BaseHead::mask(const torch::Tensor& labels) const {
  const torch::Tensor keep = (marginal_.min() / marginal_).index_select(0, labels);
  return (torch::rand(keep.sizes(), keep.options()) < keep).to(torch::kFloat);
}

std::map<std::string, torch::Tensor> BaseHead::state_dict() const {
  std::map<std::string, torch::Tensor> state{{"weight", head_->weight.detach()},
                                             {"bias", head_->bias.detach()},
                                             {"average.weight", average_->weight.detach()},
                                             {"average.bias", average_->bias.detach()},
                                             {"marginal", marginal_}};
  for (const auto& [name, tensor] : sgd_.velocity) state["velocity." + name] = tensor;
  for (auto& [name, tensor] : state) tensor = tensor.to(torch::kCPU).clone();
  return state;
}

void BaseHead::load_state_dict(const std::map<std::string, torch::Tensor>& state) {
  if (state.empty()) return;
  torch::NoGradGuard no_grad;
  head_->weight.copy_(state.at("weight"));
  head_->bias.copy_(state.at("bias"));
  average_->weight.copy_(state.at("average.weight"));
  average_->bias.copy_(state.at("average.bias"));
  marginal_.copy_(state.at("marginal"));
  for (auto& [name, tensor] : sgd_.velocity) tensor.copy_(state.at("velocity." + name));
}

}  // namespace fer
