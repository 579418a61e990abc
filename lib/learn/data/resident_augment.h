// Augmented views for supervised training and pretraining, of faces that stay on a device.
#pragma once

#include <torch/types.h>

#include <vector>

#include "learn/augment/augment.h"
#include "learn/data/batches.h"
#include "learn/data/resident_faces.h"

namespace fer {

/// Makes the views of show_view() by LibTorch's operations, on the device that has the faces. The
/// results differ by a grey level or so: gamma acts on unrounded values, and coordinates are in
/// single precision. The processor draws the parameters.
class ResidentAugment {
 public:
  /// Copies the faces to the device.
  ResidentAugment(const std::vector<FaceRef>& faces, PixelStats stats, torch::Device device)
      : faces_({&faces}, device), stats_(stats), device_(device) {}

  /// One view of each face: N x C x S x S, normalised, fp32, on the device. Returns before they are
  /// done.
  torch::Tensor of(const std::vector<FaceRef>& faces, const std::vector<DrawnView>& views) const;

 private:
  const ResidentFaces faces_;
  const PixelStats stats_;
  const torch::Device device_;
};

}  // namespace fer
