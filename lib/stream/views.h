// Random views of crops, as a network takes them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "learn/random.h"
#include "model/model_info.h"

namespace fer {

/// Planar crops, one view of each → N x C x S x S, normalised. The weak view is mirrored and
/// shifted at most, the strong one RandAugment's, `strength` in [0, 1] of it. The same for the same
/// random numbers.
torch::Tensor weak_views(const std::vector<std::span<const std::uint8_t>>& crops,
                         const ModelInfo& model, Random random);
torch::Tensor strong_views(const std::vector<std::span<const std::uint8_t>>& crops,
                           const ModelInfo& model, Random random, double strength);

}  // namespace fer
