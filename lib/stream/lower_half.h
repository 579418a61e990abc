// The part of a network that never changes: what one machine makes of a face serves another that
// has the same.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "export.h"

namespace fer {

/// What two machines must have in common to understand each other's latents.
struct LowerHalf {
  std::string hash;             ///< Of its weights.
  int blocks = 0;               ///< Residual blocks in it.
  std::size_t activations = 0;  ///< Bytes of one face at the split point, C x S x S.
  std::size_t features = 0;     ///< Pooled features of one face before the head.
  std::size_t classes = 0;
};

/// Of a model whose split point is that of `labelled`, a packed dataset or a file of latents; of
/// `frozen_blocks` (OnlineConfig) where that is empty or does not say. Throws std::runtime_error
/// where a file cannot be read or does not fit the model.
FER_API LowerHalf lower_half_of(const std::filesystem::path& model,
                                const std::filesystem::path& labelled, int frozen_blocks);

}  // namespace fer
