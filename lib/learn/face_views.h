// Random views of the faces that a semi-supervised run learns from.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "learn/augment.h"
#include "learn/batches.h"
#include "learn/compute_device.h"
#include "learn/face_ref.h"
#include "learn/rand_augment.h"
#include "learn/random.h"

namespace fer {

/// Weak views of labelled faces; weak and strong ones of unlabelled faces. Each has random numbers
/// of its own.
enum class ViewKind : std::uint64_t { kLabelled = 1, kWeak, kStrong };

/// Where views come from. Thread-safe.
class FaceViews {
 public:
  virtual ~FaceViews() = default;

  /// One view of each of these faces, each by its own random numbers: N rows.
  virtual torch::Tensor of(ViewKind kind, const std::vector<FaceRef>& faces,
                           const std::vector<Random>& randoms) const = 0;
};

/// Views made on the spot: N x C x S x S, normalised, fp32.
class FreshViews : public FaceViews {
 public:
  /// `device`: where they will be wanted; they are made in memory.
  FreshViews(PixelStats stats, const AugmentConfig& weak, const RandAugmentConfig& strong,
             torch::Device device = torch::kCPU)
      : stats_(stats), weak_(weak), strong_(strong), memory_(host_memory(device)) {}

  torch::Tensor of(ViewKind kind, const std::vector<FaceRef>& faces,
                   const std::vector<Random>& randoms) const override;

 private:
  const PixelStats stats_;
  const AugmentConfig weak_;
  const RandAugmentConfig strong_;
  const torch::TensorOptions memory_;
};

}  // namespace fer
