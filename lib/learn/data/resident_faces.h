// Face crops that stay on a device, as bytes.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <vector>

#include "learn/data/face_ref.h"

namespace fer {

/// All crops of a run, copied to the device once; each batch is gathered from them there.
class ResidentFaces {
 public:
  /// Copies the faces of all lists, each once. All must have the same shape.
  ResidentFaces(const std::vector<const std::vector<FaceRef>*>& lists, torch::Device device);

  /// Faces x C x S x S, uint8.
  const torch::Tensor& crops() const { return crops_; }
  /// Indices of the faces among crops(): N, int64, on the device. Returns before the copy is done.
  torch::Tensor rows(const std::vector<FaceRef>& faces) const;

 private:
  const torch::Device device_;
  torch::Tensor crops_;
  /// For each row of a dataset its index among crops(); -1 where it is not there.
  std::map<const PackedDataset*, std::vector<std::int64_t>> places_;
};

}  // namespace fer
