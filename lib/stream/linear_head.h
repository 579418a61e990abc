// A classification head over pooled features.
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>

namespace fer {

/// The last layer of a network: logits = features · weightᵀ + bias.
struct LinearHead {
  static constexpr char kWeight[] = "head.weight", kBias[] = "head.bias";

  torch::Tensor weight;  ///< C x D.
  torch::Tensor bias;    ///< C.

  /// The head among a network's weights, as fp32 on the CPU.
  static LinearHead of(const std::map<std::string, torch::Tensor>& weights) {
    return {weights.at(kWeight).detach().to(torch::kCPU, torch::kFloat),
            weights.at(kBias).detach().to(torch::kCPU, torch::kFloat)};
  }
  /// The same weights with this head in place of theirs.
  std::map<std::string, torch::Tensor> put_into(
      std::map<std::string, torch::Tensor> weights) const {
    weights[kWeight] = weight;
    weights[kBias] = bias;
    return weights;
  }

  /// N x D → N x C.
  torch::Tensor logits(const torch::Tensor& features) const {
    return torch::addmm(bias, features, weight.t());
  }
  /// `share` of the way from this head to another.
  LinearHead towards(const LinearHead& other, double share) const {
    return {torch::lerp(weight, other.weight, share), torch::lerp(bias, other.bias, share)};
  }
};

}  // namespace fer
