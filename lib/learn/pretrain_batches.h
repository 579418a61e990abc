// Batches of two random views of each face, made ahead of the trainer on a thread of their own.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <future>
#include <vector>

#include "learn/augment.h"
#include "learn/batches.h"
#include "learn/face_ref.h"
#include "learn/walk.h"

namespace fer {

/// The batches of a run, one a step. Which faces, and which views of each, follow from the seed and
/// the step alone. Every face is seen once before any is seen again.
class PretrainBatches {
 public:
  /// `faces` must outlive it, and hold one at least.
  PretrainBatches(const std::vector<FaceRef>& faces, PixelStats stats, const AugmentConfig& views,
                  int batch, std::uint64_t seed, std::int64_t first_step);
  ~PretrainBatches();

  /// 2·batch x C x S x S, normalised, fp32: the first views, then the second in the same order.
  torch::Tensor next();

 private:
  torch::Tensor make(std::int64_t step);

  const std::vector<FaceRef>& faces_;
  const PixelStats stats_;
  const AugmentConfig views_;
  const int batch_;
  const std::uint64_t seed_;
  Walk walk_;
  std::int64_t step_;
  std::future<torch::Tensor> ahead_;  ///< Whoever makes it owns the walk until it is done.
};

}  // namespace fer
