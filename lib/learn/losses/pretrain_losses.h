// Losses of learning from two views of each face, and what tells that they taught nothing.
#pragma once

#include <torch/types.h>

namespace fer {

/// BYOL (Grill et al. 2020): the mean over rows of 2 − 2 cos(prediction, target). `predictions` and
/// `targets`: N x D, fp32, row by row two views of one face. No gradient flows into `targets`.
torch::Tensor regression_loss(const torch::Tensor& predictions, const torch::Tensor& targets);

/// MoCo v3 (Chen, Xie, He 2021): with logits cos(prediction, target) / temperature against every
/// target of the batch, 2 · temperature · the mean cross-entropy of finding one's own. No gradient
/// flows into `targets`.
torch::Tensor contrast_loss(const torch::Tensor& predictions, const torch::Tensor& targets,
                            double temperature);

/// Standard deviation over the batch of each dimension of the normalised embeddings (N x D), its
/// mean over the dimensions, times √D: 1 where they point everywhere alike, 0 where all are one
/// (collapse; the measure of SimSiam, Chen and He 2021).
torch::Tensor spread(const torch::Tensor& embeddings);

/// How many dimensions the normalised embeddings fill: (Σ λ)² / Σ λ² of their covariance's
/// eigenvalues λ, from 1 to D; 0 where all embeddings are one.
torch::Tensor filled_dimensions(const torch::Tensor& embeddings);

}  // namespace fer
