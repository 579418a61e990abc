// The device that a run computes on, and helpers for work on it.
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

/// The device of `group`, or without a group the one that `name` means. Throws what
/// resolve_device() throws.
FER_API torch::Device compute_device(const std::string& name, const ProcessGroup* group = nullptr);

/// The kernels of libfer-cuda for a CUDA device. nullptr for the processor, and where the library
/// does not run on the device: the processor's forms do the work then, and `refusal` says why and
/// what to do.
FER_API const kernels::KernelTable* kernels_for(torch::Device device,
                                                std::string* refusal = nullptr);

/// Calls `launch` with `device` as the thread's current one. `launch` starts kernels on the default
/// stream and returns null, or the reason why it started none, as the kernels do; the reason and
/// `what` become a std::runtime_error.
///
/// The kernels run in the order of LibTorch's current stream: after all work that the thread gave
/// it before, and before all that it gives later. So memory that is freed after the call is not
/// overwritten before the kernels have read it.
FER_API void launch_on(torch::Device device, const kernels::KernelTable& table,
                       const std::string& what, const std::function<const char*()>& launch);

/// How many batches of views a run on `device` prepares at the same time: one where the processor
/// trains too and needs its cores, else one for each of LibTorch's threads.
FER_API int view_workers(torch::Device device);

/// Options of tensors that the processor fills for `device`: pinned memory for a CUDA device, so
/// that copies to it are asynchronous.
FER_API torch::TensorOptions host_memory(torch::Device device);

/// A tensor of the numbers on the device: N, int64. Returns before the copy is done.
FER_API torch::Tensor numbers_on(torch::Device device, const std::vector<std::int64_t>& numbers);

}  // namespace fer
