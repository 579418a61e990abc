// Seeding LibTorch.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "network/torch_devices.h"

namespace fer {

/// Seeds LibTorch's generators. Seeding asks whether there are CUDA devices, and LibTorch keeps the
/// first answer for good: so its CUDA half is opened before, for whoever wants a device later.
inline void seed_torch(std::uint64_t seed) {
  open_devices();
  torch::manual_seed(seed);
}

}  // namespace fer
