#include "learn/semi/cross_fit.h"

#include <torch/torch.h>

#include <stdexcept>

#include "learn/linear/logistic_regression.h"

namespace fer {
namespace {

std::vector<double> values_of(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.to(torch::kCPU, torch::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

torch::Tensor tensor_of_values(const std::vector<double>& values) {
  return torch::tensor(torch::ArrayRef<double>(values), torch::kDouble);
}

/// Checkpoints hold fp32. What is rounded to it at once goes on from a checkpoint as it was.
std::vector<double> rounded(std::vector<double> values) {
  for (double& value : values) value = static_cast<double>(static_cast<float>(value));
  return values;
}
torch::Tensor rounded(const torch::Tensor& tensor) {
  return tensor.to(torch::kFloat).to(torch::kDouble);
}

}  // namespace

CrossFit::CrossFit(const CrossFitConfig& config, const std::vector<int>& labels,
                   const std::vector<std::string>& names)
    : config_(config), classes_(static_cast<int>(names.size())), labels_(labels) {
  std::vector<std::int64_t> count(names.size(), 0), folds, numbers;
  for (const int label : labels) {
    folds.push_back(count[static_cast<std::size_t>(label)]++ % config.folds);
    numbers.push_back(label);
  }
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (count[k] >= config.folds) continue;
    throw std::runtime_error("cross-fitting: expected at least " + std::to_string(config.folds) +
                             " labelled faces of each class, one for each fold, found " +
                             std::to_string(count[k]) + " of \"" + names[k] +
                             "\"; label more, or ask for fewer folds");
  }
  label_tensor_ = torch::tensor(numbers, torch::kLong);
  fold_ = torch::tensor(folds, torch::kLong);
  for (const std::int64_t one : count)
    known_.push_back(static_cast<double>(one) / static_cast<double>(labels.size()));
  mix_ = std::vector<double>(names.size(), 1.0 / static_cast<double>(names.size()));
}

void CrossFit::fit(const torch::Tensor& labelled, const torch::Tensor& pool) {
  torch::NoGradGuard no_grad;
  const torch::Tensor x = labelled.to(torch::kCPU, torch::kDouble);
  OutOfFold held_out;
  held_out.classes = classes_;
  held_out.labels = labels_;
  torch::Tensor seen = torch::empty({x.size(0), classes_}, torch::kDouble);
  std::vector<torch::Tensor> weights, biases;
  LogisticRegressionConfig fit;
  fit.l2 = config_.l2;
  for (int k = 0; k < config_.folds; ++k) {
    const torch::Tensor in = (fold_ != k).nonzero().squeeze(1);
    const torch::Tensor out = (fold_ == k).nonzero().squeeze(1);
    const auto head = LogisticRegression::fit(x.index_select(0, in),
                                              label_tensor_.index_select(0, in), classes_, fit);
    seen.index_copy_(0, out, head.probabilities(x.index_select(0, out)));
    weights.push_back(head.weight());
    biases.push_back(head.bias());
  }
  weight_ = rounded(torch::stack(weights));
  bias_ = rounded(torch::stack(biases));
  held_out.probabilities = values_of(seen);
  temperature_ = static_cast<double>(static_cast<float>(fitted_temperature(held_out)));
  held_out.probabilities = tempered(held_out.probabilities, classes_, temperature_);
  if (config_.mix && pool.defined() && pool.size(0) > 0) {
    mix_ = rounded(estimated_mix(values_of(by_head(pool).mean(0)), known_));
    held_out.probabilities = under_mix(held_out.probabilities, known_, mix_);
    thresholds_ = rounded(precision_thresholds(held_out, config_.precision, mix_));
  } else {
    thresholds_ = rounded(precision_thresholds(held_out, config_.precision));
  }
  quantiles_ = rounded(conformal_quantiles(held_out, config_.alpha));
}

torch::Tensor CrossFit::by_head(const torch::Tensor& features) const {
  const torch::Tensor x = features.to(torch::kCPU, torch::kDouble);
  const torch::Tensor logits =
      torch::matmul(x.unsqueeze(0), weight_.transpose(1, 2)) + bias_.unsqueeze(1);
  return torch::softmax(logits / temperature_, 2);
}

torch::Tensor CrossFit::probabilities(const torch::Tensor& features) const {
  torch::NoGradGuard no_grad;
  torch::Tensor mean = by_head(features).mean(0);
  if (config_.mix) {
    mean = mean * (tensor_of_values(mix_) / tensor_of_values(known_));
    mean = mean / mean.sum(1, /*keepdim=*/true);
  }
  return mean.to(torch::kFloat);
}

std::map<std::string, torch::Tensor> CrossFit::state_dict() const {
  if (!fitted()) return {};
  const auto fp32 = [](const std::vector<double>& values) {
    return tensor_of_values(values).to(torch::kFloat);
  };
  return {{"weight", weight_.to(torch::kFloat)}, {"bias", bias_.to(torch::kFloat)},
          {"temperature", fp32({temperature_})}, {"thresholds", fp32(thresholds_)},
          {"quantiles", fp32(quantiles_)},       {"mix", fp32(mix_)}};
}

void CrossFit::load_state_dict(const std::map<std::string, torch::Tensor>& state) {
  const auto named = [&](const char* name) {
    const auto found = state.find(name);
    if (found == state.end())
      throw std::runtime_error(std::string("cross-fitting: expected a tensor \"") + name +
                               "\" in its state");
    return found->second.to(torch::kCPU, torch::kDouble);
  };
  weight_ = named("weight");
  bias_ = named("bias");
  temperature_ = named("temperature").item<double>();
  thresholds_ = values_of(named("thresholds"));
  quantiles_ = values_of(named("quantiles"));
  mix_ = values_of(named("mix"));
}

}  // namespace fer
