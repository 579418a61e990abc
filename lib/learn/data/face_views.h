// Random views of the faces that a semi-supervised run learns from.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "kernels/augment.h"
#include "kernels/kernel_table.h"
#include "learn/data/batches.h"
#include "learn/data/face_ref.h"
#include "learn/device/compute_device.h"

namespace fer {

/// Weak views of labelled faces; weak and strong ones of unlabelled faces. Each has random numbers
/// of its own.
enum class ViewKind : std::uint64_t { kLabelled = 1, kWeak, kStrong };

/// What views are drawn by: view i by the numbers of position + i, wherever it is made.
struct ViewDraw {
  std::uint64_t seed = 1, stream = 0, position = 0;
};

/// Where views come from. Thread-safe.
class FaceViews {
 public:
  virtual ~FaceViews() = default;

  /// One view of each of these faces: N rows.
  virtual torch::Tensor of(ViewKind kind, const std::vector<FaceRef>& faces,
                           const ViewDraw& draw) const = 0;
};

/// How views look.
struct ViewLook {
  PixelStats stats;
  RandAugmentConfig weak = kWeakView, strong = {};
};

/// What makes such views in `images` (N x C x S x S, fp32), but for the crops.
kernels::Augment augment_into(const torch::Tensor& images, ViewKind kind, const ViewLook& look,
                              const ViewDraw& draw);

/// Makes them: on `device` by the table's kernel, for which nobody waits; in the processor's memory
/// where there is no table. Throws std::runtime_error where the device refuses.
void make_views(kernels::Augment views, torch::Device device, const kernels::KernelTable* table);

/// Views made on the spot by the processor: N x C x S x S, normalised, fp32.
class FreshViews : public FaceViews {
 public:
  /// `device`: where they will be wanted; they are made in memory.
  explicit FreshViews(const ViewLook& look, torch::Device device = torch::kCPU)
      : look_(look), memory_(host_memory(device)) {}

  torch::Tensor of(ViewKind kind, const std::vector<FaceRef>& faces,
                   const ViewDraw& draw) const override;

 private:
  const ViewLook look_;
  const torch::TensorOptions memory_;
};

}  // namespace fer
