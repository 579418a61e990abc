// Random views of faces that stay on a CUDA device.
#pragma once

#include <torch/types.h>

#include <vector>

#include "kernels/kernel_table.h"
#include "learn/data/face_views.h"
#include "learn/data/resident_faces.h"
#include "learn/data/ssl_data.h"

namespace fer {

/// Views that libfer-cuda makes on the device, from faces that are copied there once, as uint8.
/// N x C x S x S, normalised, fp32, on the device; the same views as FreshViews makes.
class ResidentViews : public FaceViews {
 public:
  /// Copies all labelled and unlabelled faces of the data. `table`: kernels for the device;
  /// nullptr: the faces stay in the processor's memory.
  ResidentViews(const SslData& data, const ViewSettings& look, torch::Device device,
                const kernels::KernelTable* table);

  torch::Tensor of(ViewKind kind, const std::vector<FaceRef>& faces,
                   const ViewSeed& draw) const override;

 private:
  const ViewSettings look_;
  const torch::Device device_;
  const kernels::KernelTable* const table_;
  const ResidentFaces faces_;
};

}  // namespace fer
