// What is remembered, in a checkpoint.
#pragma once

#include <cstddef>

#include "learn/run/checkpoint.h"
#include "stream/sample_memory.h"

namespace fer {

/// Adds the memory's tracklets with their crops to a checkpoint.
void keep_memory(const SampleMemory& memory, Checkpoint& kept);

/// Fills the memory with what keep_memory() kept; crops have `crop_bytes` each. Throws
/// std::runtime_error or nlohmann::json::exception where that is broken, or does not fit the
/// memory's settings.
void restore_memory(const Checkpoint& kept, std::size_t crop_bytes, SampleMemory& memory);

}  // namespace fer
