// Random views of crops from anywhere, made where the networks lie.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernel_table.h"
#include "learn/data/face_views.h"
#include "model/model_info.h"
#include "util/random.h"

namespace fer {

/// Planar crops, one view of each → N x C x S x S, normalised, fp32, on the device. The crops go
/// there as bytes, and nobody waits for the copy or for the views; where libfer-cuda does not open,
/// the processor makes the views. The same for the same random numbers, wherever they are made.
class CropViews {
 public:
  using Crops = std::vector<std::span<const std::uint8_t>>;

  CropViews(const ModelInfo& model, torch::Device device);

  /// Mirrored and shifted at most.
  torch::Tensor weak(const Crops& crops, Random random) const;
  /// RandAugment's, `strength` in [0, 1] of it.
  torch::Tensor strong(const Crops& crops, Random random, double strength) const;

 private:
  torch::Tensor made(const Crops& crops, Random random, ViewKind kind,
                     const ViewSettings& look) const;

  const std::int64_t channels_, side_;
  const PixelStats stats_;
  const torch::Device device_;
  const kernels::KernelTable* const table_;
};

}  // namespace fer
