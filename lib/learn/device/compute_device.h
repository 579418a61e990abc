// Where a run computes.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "export.h"
#include "kernels/kernel_table.h"

namespace fer {

class ProcessGroup;

/// The device that a name means, as resolve_device() takes it, or that of `group`. Throws what that
/// throws.
FER_API torch::Device compute_device(const std::string& name, const ProcessGroup* group = nullptr);

/// What libfer-cuda has for a CUDA device; nullptr for the processor, and where the library cannot
/// run there: the processor then does what its kernels would. `refusal`: why, and what to do.
FER_API const kernels::KernelTable* kernels_for(torch::Device device,
                                                std::string* refusal = nullptr);

/// Runs `launch`, which says as the kernels do why nothing was launched, with `device` as the
/// thread's current one. Throws std::runtime_error with `what` and that reason. What it launches on
/// the default stream is done in the turn of the thread's current stream of LibTorch's: after what
/// that was given before, and before what it is given afterwards, so that what is freed after a
/// launch is not overwritten before it is through.
FER_API void launch_on(torch::Device device, const kernels::KernelTable& table,
                       const std::string& what, const std::function<const char*()>& launch);

/// Batches of views that a run on `device` has made at once: one where the processor computes,
/// which needs its cores itself; else one for each of LibTorch's threads.
FER_API int view_workers(torch::Device device);

/// Memory for what is made here and read there. The copy to a device needs not wait for it, nor it
/// for the copy.
FER_API torch::TensorOptions host_memory(torch::Device device);

/// These numbers on the device: N, int64. The copy is not waited for.
FER_API torch::Tensor numbers_on(torch::Device device, const std::vector<std::int64_t>& numbers);

}  // namespace fer
