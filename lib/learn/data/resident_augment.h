// The views that supervised runs and pretraining see, of faces that lie on a device.
#pragma once

#include <torch/types.h>

#include <vector>

#include "learn/augment/augment.h"
#include "learn/data/batches.h"
#include "learn/data/resident_faces.h"

namespace fer {

/// What show_view() makes, by LibTorch's operations where the faces lie, within a level or so:
/// light is bent between levels too, and the look-up is in single precision. The processor draws.
class ResidentAugment {
 public:
  /// Copies the faces there once.
  ResidentAugment(const std::vector<FaceRef>& faces, PixelStats stats, torch::Device device)
      : faces_({&faces}, device), stats_(stats), device_(device) {}

  /// One view of each: N x C x S x S, normalised, fp32, on the device, which is not waited for.
  torch::Tensor of(const std::vector<FaceRef>& faces, const std::vector<DrawnView>& views) const;

 private:
  const ResidentFaces faces_;
  const PixelStats stats_;
  const torch::Device device_;
};

}  // namespace fer
