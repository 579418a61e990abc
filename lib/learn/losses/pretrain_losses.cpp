#include "learn/losses/pretrain_losses.h"

#include <torch/torch.h>

#include <cmath>

namespace fer {
namespace {

torch::Tensor normalised(const torch::Tensor& rows) {
  return torch::nn::functional::normalize(
      rows, torch::nn::functional::NormalizeFuncOptions().p(2).dim(1));
}

}  // namespace

torch::Tensor regression_loss(const torch::Tensor& predictions, const torch::Tensor& targets) {
  return 2 - 2 * (normalised(predictions) * normalised(targets.detach())).sum(1).mean();
}

torch::Tensor contrast_loss(const torch::Tensor& predictions, const torch::Tensor& targets,
                            double temperature) {
  const torch::Tensor logits =
      normalised(predictions).mm(normalised(targets.detach()).t()) / temperature;
  return -2 * temperature * torch::log_softmax(logits, 1).diagonal().mean();
}

torch::Tensor spread(const torch::Tensor& embeddings) {
  const torch::Tensor rows = normalised(embeddings);
  return rows.std(0, /*unbiased=*/false).mean() * std::sqrt(static_cast<double>(rows.size(1)));
}

torch::Tensor filled_dimensions(const torch::Tensor& embeddings) {
  const torch::Tensor rows = normalised(embeddings);
  const torch::Tensor centred = rows - rows.mean(0, /*keepdim=*/true);
  const torch::Tensor covariance = centred.t().mm(centred) / static_cast<double>(rows.size(0));
  // The sum of the eigenvalues is the trace, that of their squares the sum of all squares.
  return covariance.trace().square() / covariance.square().sum().clamp_min(1e-20);
}

}  // namespace fer
