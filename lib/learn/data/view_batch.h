// The images of one batch, shown by the processor at once or where the faces lie later.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "learn/augment/augment.h"
#include "learn/data/batches.h"
#include "learn/data/resident_augment.h"

namespace fer {

class ViewBatch {
 public:
  ViewBatch() = default;
  /// Of `count` views of faces of this shape. `memory`: of the images that the processor shows;
  /// with `resident`, which must outlive it, they are shown there.
  ViewBatch(int count, const PackedInfo& info, PixelStats stats, torch::TensorOptions memory,
            const ResidentAugment* resident)
      : stats_(stats), resident_(resident) {
    if (!resident)
      images_ =
          torch::empty({count, info.crops.channels, info.crops.side, info.crops.side}, memory);
  }

  /// The next one.
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

  /// N x C x S x S, normalised, fp32. Of all that were to be added.
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
