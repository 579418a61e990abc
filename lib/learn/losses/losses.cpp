#include "learn/losses/losses.h"

#include <torch/torch.h>

#include <limits>

namespace fer {

torch::Tensor soft_cross_entropy(const torch::Tensor& logits, const torch::Tensor& targets) {
  return -(targets * torch::log_softmax(logits, 1)).sum(1).mean();
}

torch::Tensor weighted_cross_entropy(const torch::Tensor& logits, const torch::Tensor& labels,
                                     const torch::Tensor& weights) {
  const torch::Tensor log_p = torch::log_softmax(logits, 1).gather(1, labels.unsqueeze(1));
  return -(log_p.squeeze(1) * weights).mean();
}

torch::Tensor negative_loss(const torch::Tensor& logits, const torch::Tensor& negatives) {
  const auto n = logits.size(0), classes = logits.size(1);
  // log(1 − p_k) = logsumexp over j ≠ k − logsumexp over all j.
  const torch::Tensor self = torch::eye(classes, logits.options()).to(torch::kBool);
  const torch::Tensor others = logits.unsqueeze(1)
                                   .expand({n, classes, classes})
                                   .masked_fill(self, -std::numeric_limits<float>::infinity())
                                   .logsumexp(2);
  const torch::Tensor log_not = others - logits.logsumexp(1, /*keepdim=*/true);
  const torch::Tensor mask = negatives.to(logits.scalar_type());
  return -((log_not * mask).sum(1) / mask.sum(1).clamp_min(1)).mean();
}

}  // namespace fer
