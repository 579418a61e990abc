// Random views of faces for semi-supervised training.
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

/// Weak views of labelled faces, weak and strong views of unlabelled ones. Each kind has random
/// numbers of its own.
enum class ViewKind : std::uint64_t { kLabelled = 1, kWeak, kStrong };

/// The random numbers of a batch of views: view i uses those of position + i, on any device.
struct ViewSeed {
  std::uint64_t seed = 1, stream = 0, position = 0;
};

/// A source of views. Thread-safe.
class FaceViews {
 public:
  virtual ~FaceViews() = default;

  /// One view of each face: N rows.
  virtual torch::Tensor of(ViewKind kind, const std::vector<FaceRef>& faces,
                           const ViewSeed& draw) const = 0;

  /// Unchanged views of the faces, where the network takes something other than images of them;
  /// else undefined.
  virtual torch::Tensor plain(const std::vector<FaceRef>& /*faces*/) const { return {}; }
};

/// Normalisation and augmentation of views.
struct ViewSettings {
  PixelStats stats;
  RandAugmentConfig weak = kWeakView, strong = {};
};

/// The kernel's arguments for views that go to `images` (N x C x S x S, fp32), without the crops.
kernels::Augment augment_into(const torch::Tensor& images, ViewKind kind, const ViewSettings& look,
                              const ViewSeed& draw);

/// Makes the views: on `device` by the table's kernel, which this does not wait for; without a
/// table by the processor. Throws std::runtime_error where the device refuses.
void make_views(kernels::Augment views, torch::Device device, const kernels::KernelTable* table);

/// Views that the processor makes on demand: N x C x S x S, normalised, fp32.
class FreshViews : public FaceViews {
 public:
  /// `device`: where the trainer will copy them.
  explicit FreshViews(const ViewSettings& look, torch::Device device = torch::kCPU)
      : look_(look), memory_(host_memory(device)) {}

  torch::Tensor of(ViewKind kind, const std::vector<FaceRef>& faces,
                   const ViewSeed& draw) const override;

 private:
  const ViewSettings look_;
  const torch::TensorOptions memory_;
};

}  // namespace fer
