// What is remembered, in a checkpoint.
#pragma once

#include <cstddef>

#include "learn/run/checkpoint.h"
#include "stream/sample_memory.h"

namespace fer {

/// Adds the memory's tracklets to a checkpoint, with as much of their faces as `store` allows. With
/// kLatents, tracklets without latents are left out.
void keep_memory(const SampleMemory& memory, SampleStore store, Checkpoint& kept);

/// Bytes and numbers that one face has in a checkpoint.
struct FaceShape {
  std::size_t crop = 0;      ///< Bytes of a crop.
  std::size_t latent = 0;    ///< Bytes of its activations at the split point.
  std::size_t features = 0;  ///< Pooled features.
};

/// Fills the memory with what keep_memory() kept, also by version 0.1, which kept crops alone.
/// Throws std::runtime_error or nlohmann::json::exception where that is broken, or does not fit the
/// memory's settings.
void restore_memory(const Checkpoint& kept, const FaceShape& shape, SampleMemory& memory);

}  // namespace fer
