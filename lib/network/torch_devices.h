// LibTorch's CUDA half.
#pragma once

#include "export.h"

namespace fer {

/// Opens LibTorch's CUDA half, and says whether LibTorch can use a CUDA device.
bool torch_has_cuda();

/// Opens LibTorch's CUDA half where there is a driver, so that what is asked of LibTorch from now
/// on is answered with it. See seed_torch().
FER_API void open_devices();

}  // namespace fer
