// The augmented images of one batch, made by the processor or on the device that has the faces.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "learn/augment/augment.h"
#include "learn/data/batches.h"
#include "learn/data/resident_augment.h"

namespace fer {

/// Collects random views of faces. The processor draws each view. It also makes the image at once,
/// unless the faces lie on a device: that makes all images when images() is called.
class ViewBatch {
 public:
  ViewBatch() = default;
  /// Room for `count` views of crops as `info` has them. `memory`: options of the images that the
  /// processor makes. `resident`: the faces on a device, which must outlive this; nullptr: none.
  ViewBatch(int count, const PackedInfo& info, PixelStats stats, torch::TensorOptions memory,
            const ResidentAugment* resident)
      : stats_(stats), resident_(resident) {
    if (!resident)
      images_ =
          torch::empty({count, info.crops.channels, info.crops.side, info.crops.side}, memory);
  }

  /// Adds a view of the face, drawn by `random`.
  void add(const FaceRef& face, const AugmentConfig& config, Random random) {
    const PackedInfo& info = face.data->info();
    DrawnView view = draw_view(config, info.crops.channels, info.crops.side, random);
    if (resident_) {
      faces_.push_back(face);
      views_.push_back(std::move(view));
      return;
    }
    const std::span<float> out = image_at(images_, added_++);
    show_view(face.crop(), info.crops.channels, info.crops.side, view, out);
    normalise(out, stats_);
  }

  /// The images, N x C x S x S, normalised, fp32. Call it once all `count` views are added.
  torch::Tensor images() const { return resident_ ? resident_->of(faces_, views_) : images_; }

 private:
  PixelStats stats_;
  const ResidentAugment* resident_ = nullptr;
  torch::Tensor images_;
  std::int64_t added_ = 0;
  std::vector<FaceRef> faces_;
  std::vector<DrawnView> views_;
};

}  // namespace fer
