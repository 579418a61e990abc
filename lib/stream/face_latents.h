// What the frozen networks make of a face, without its picture. Free of LibTorch.
#pragma once

#include <cstdint>
#include <vector>

namespace fer {

/// A face as the source model sees it. Both parts may be empty.
struct FaceLatents {
  std::vector<float> features;      ///< Pooled features before the head, D.
  float scale = 0;                  ///< Of the bytes: an activation is byte x scale.
  std::vector<std::uint8_t> bytes;  ///< Activations at the split point, C x S x S.
};

}  // namespace fer
