// The teacher's probabilities, which label the stream.
#pragma once

#include <torch/torch.h>

#include <utility>
#include <vector>

#include "stream/adapted_networks.h"

namespace fer {

/// A class that the source never saw counts as this rare.
inline constexpr float kMinPrior = 1e-6f;

/// Logit adjustment for a model that assumes `prior`, C shares: the logits plus this are those of a
/// model whose prior is prior^(1 - power) (Menon et al. 2021).
inline torch::Tensor prior_correction(const std::vector<float>& prior, double power) {
  return torch::tensor(prior).clamp_min(kMinPrior).log() * -power;
}

/// The averaged student, with a part of the source's class prior divided out of its answers.
class Teacher {
 public:
  /// `correction`: added to the logits, C. `networks` must outlive the teacher.
  Teacher(AdaptedNetworks& networks, torch::Tensor correction)
      : networks_(networks), correction_(std::move(correction)) {}

  /// Class probabilities, N x C, of activations at the split point. On the CPU, without gradients.
  torch::Tensor probabilities(const torch::Tensor& activations) const {
    return torch::softmax(networks_.teacher_logits(activations) + correction_, 1);
  }

 private:
  AdaptedNetworks& networks_;
  const torch::Tensor correction_;
};

}  // namespace fer
