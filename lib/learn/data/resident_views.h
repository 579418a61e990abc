// Views of faces that lie on a CUDA device.
#pragma once

#include <torch/types.h>

#include <vector>

#include "kernels/kernel_table.h"
#include "learn/data/face_views.h"
#include "learn/data/resident_faces.h"
#include "learn/data/semi_data.h"

namespace fer {

/// Views made where the faces lie, by libfer-cuda: the faces are copied there once, as uint8, and a
/// batch is what is drawn of them. The same views as FreshViews gives, N x C x S x S, normalised,
/// fp32, on the device.
class ResidentViews : public FaceViews {
 public:
  /// Copies all faces that the data learns from. `table`: kernels for the device; nullptr for
  /// faces in the processor's memory.
  ResidentViews(const SemiData& data, const ViewLook& look, torch::Device device,
                const kernels::KernelTable* table);

  torch::Tensor of(ViewKind kind, const std::vector<FaceRef>& faces,
                   const ViewDraw& draw) const override;

 private:
  const ViewLook look_;
  const torch::Device device_;
  const kernels::KernelTable* const table_;
  const ResidentFaces faces_;
};

}  // namespace fer
