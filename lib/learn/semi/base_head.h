// The second head of a method that trains two.
#pragma once

#include <torch/nn/modules/linear.h>

#include <map>
#include <string>

#include "learn/optim/sgd.h"

namespace fer {

/// The base classifier of ABC (Lee, Shin, Kim, NeurIPS 2021, arXiv 2110.10368). It sees the same
/// features as the network's own head, the balanced one, and learns by FixMatch from all rows. The
/// network's head learns from a row with the probability min p̂ / p̂_ŷ, where p̂ is the mix of the
/// base's pseudo-labels. The paper takes N_min / N_y of the labelled set in its place; here
/// labelled batches are balanced already, and the mix of the unlabelled rows is what must be evened
/// out.
class BaseHead {
 public:
  BaseHead(std::int64_t features, std::int64_t classes, double momentum, double weight_decay,
           torch::Device device);

  torch::Tensor logits(const torch::Tensor& features) { return head_(features).to(torch::kFloat); }
  /// Of its average.
  torch::Tensor teacher_logits(const torch::Tensor& features) {
    return average_(features).to(torch::kFloat);
  }
  /// Along the gradients, and of the average towards the head, after `steps` before this one; as
  /// ModuleRun::step() moves the network's.
  void step(double learning_rate, double ema, std::int64_t steps);

  /// Moves p̂ by the base's probabilities of a step's rows (N x C).
  void observe(const torch::Tensor& probabilities);
  /// N, 0 or 1: which rows of these pseudo-labels the balanced head learns from. Draws of
  /// LibTorch's generator.
  torch::Tensor mask(const torch::Tensor& labels) const;

  std::map<std::string, torch::Tensor> state_dict() const;
  void load_state_dict(const std::map<std::string, torch::Tensor>& state);

 private:
  torch::nn::Linear head_, average_;
  Sgd sgd_;
  torch::Tensor marginal_;  ///< p̂, C.
};

}  // namespace fer
