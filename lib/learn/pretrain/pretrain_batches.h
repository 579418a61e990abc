// Batches of two random views of each face, prefetched on threads of their own.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "learn/augment/augment.h"
#include "learn/data/batches.h"
#include "learn/data/face_ref.h"
#include "learn/data/prefetcher.h"
#include "learn/data/shuffled_sampler.h"
#include "learn/data/view_batch.h"

namespace fer {

/// The batches of a run, one for each step. Seed and step decide which faces a batch has and how
/// they are augmented. Every face is drawn once before any is drawn again.
class PretrainBatches {
 public:
  /// `faces` must outlive this and hold one at least. `device`: where the trainer will copy the
  /// batches. `resident`: the faces on that device, if they lie there.
  PretrainBatches(const std::vector<FaceRef>& faces, PixelStats stats, const AugmentConfig& views,
                  int batch, std::uint64_t seed, std::int64_t first_step,
                  torch::Device device = torch::kCPU, const ResidentAugment* resident = nullptr);

  /// 2·batch x C x S x S, normalised, fp32: the first views, then the second in the same order.
  torch::Tensor next();

 private:
  /// Indices of a step's faces.
  std::vector<std::size_t> draw(std::int64_t step);
  ViewBatch make(std::int64_t step, const std::vector<std::size_t>& drawn) const;

  const std::vector<FaceRef>& faces_;
  const PixelStats stats_;
  const AugmentConfig views_;
  const int batch_;
  const std::uint64_t seed_;
  ShuffledSampler sampler_;
  std::int64_t step_;
  const torch::TensorOptions memory_;
  const ResidentAugment* const resident_;
  Prefetcher<ViewBatch> prefetcher_;
};

}  // namespace fer
