// Faces that lie on a device, as bytes.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <vector>

#include "learn/data/face_ref.h"

namespace fer {

/// Copies of faces of one shape, brought there once; what is learnt from is picked there.
class ResidentFaces {
 public:
  /// Each face once, however often it stands in the lists.
  ResidentFaces(const std::vector<const std::vector<FaceRef>*>& lists, torch::Device device);

  /// Faces x C x S x S, uint8.
  const torch::Tensor& crops() const { return crops_; }
  /// Where these lie among them: N, int64, on the device. The copy is not waited for.
  torch::Tensor rows(const std::vector<FaceRef>& faces) const;

 private:
  const torch::Device device_;
  torch::Tensor crops_;
  /// Of a dataset's rows, among the faces; -1 for those that are not there.
  std::map<const PackedDataset*, std::vector<std::int64_t>> places_;
};

}  // namespace fer
