// Losses of semi-supervised training. All take logits, fp32, and return a scalar with a gradient.
#pragma once

#include <torch/types.h>

namespace fer {

/// Mean over rows of −Σ_k target_k log p_k. `targets`: N x C, rows sum to 1.
torch::Tensor soft_cross_entropy(const torch::Tensor& logits, const torch::Tensor& targets);

/// Mean over all rows of weight · −log p_label. `labels`: N, int64; `weights`: N in [0, 1]. Rows of
/// weight 0 count in the mean.
torch::Tensor weighted_cross_entropy(const torch::Tensor& logits, const torch::Tensor& labels,
                                     const torch::Tensor& weights);

/// Mean over all rows u of 1/|S(u)| · Σ_{k∈S(u)} −log(1 − p_k); 0 for a row with an empty S(u).
/// `negatives`: N x C, bool. Finite, with a gradient of at most 1 for each logit and row, however
/// large the logits are: 1 − p_k is never formed, but the sum of the other classes in its place.
torch::Tensor negative_loss(const torch::Tensor& logits, const torch::Tensor& negatives);

}  // namespace fer
