// Where a run computes.
#pragma once

#include <torch/types.h>

#include <string>

#include "cuda/kernel_table.h"
#include "export.h"

namespace fer {

class ProcessGroup;

/// The device that a name means: "cpu", "cuda" (the first), "cuda:N", or "auto": the first CUDA
/// device where LibTorch can use one, else the processor. LibTorch's CUDA half is opened here, for
/// those who ask for it alone, and before LibTorch has been asked whether it has one.
///
/// Throws std::runtime_error that says what is missing and what to do, and for a CUDA device where
/// `group` has several processes, which exchange what lies in memory.
FER_API torch::Device compute_device(const std::string& name, const ProcessGroup* group = nullptr);

/// What libfer-cuda has for a CUDA device; nullptr for the processor, and where the library cannot
/// run there: the processor then does what its kernels would. `refusal`: why, and what to do.
FER_API const kernels::KernelTable* kernels_for(torch::Device device,
                                                std::string* refusal = nullptr);

/// Batches of views that a run on `device` has made at once: one where the processor computes,
/// which needs its cores itself; else one for each of LibTorch's threads.
FER_API int view_workers(torch::Device device);

/// Memory for what is made here and read there. The copy to a device needs not wait for it, nor it
/// for the copy.
FER_API torch::TensorOptions host_memory(torch::Device device);

}  // namespace fer
