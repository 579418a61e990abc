// Activations as bytes: none is negative, so that a row needs but one scale.
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "stream/face_latents.h"

namespace fer {

/// N x C x S x S, never negative → the same shape as bytes, and N scales: value ≈ byte x scale.
inline std::pair<torch::Tensor, torch::Tensor> encode_latents(const torch::Tensor& activations) {
  const torch::Tensor scale = activations.amax({1, 2, 3}).clamp_min(1e-12) / 255;
  return {(activations / scale.view({-1, 1, 1, 1})).round().to(torch::kU8), scale};
}

/// The way back, fp32.
inline torch::Tensor decode_latents(const torch::Tensor& bytes, const torch::Tensor& scales) {
  return bytes.to(torch::kFloat) * scales.view({-1, 1, 1, 1});
}

/// One face's: 1 x `shape`, which is C x S x S.
inline torch::Tensor decode_latents(const FaceLatents& latents,
                                    const std::vector<std::int64_t>& shape) {
  torch::Tensor bytes = torch::empty(shape, torch::kU8);
  std::copy(latents.bytes.begin(), latents.bytes.end(), bytes.data_ptr<std::uint8_t>());
  return decode_latents(bytes.unsqueeze(0), torch::tensor({latents.scale}));
}

}  // namespace fer
