#include "network/torch_devices.h"

#include <dlfcn.h>
#include <torch/cuda.h>

#include "kernels/driver_library.h"

namespace fer {

bool torch_has_cuda() {
  // LibTorch's CUDA half may be a library of its own, which is not linked; and whether there is one
  // must not be asked before it is open.
  static const bool open = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr;
  return open && torch::cuda::is_available();
}

void open_devices() {
  if (kernels::driver_library()) torch_has_cuda();
}

}  // namespace fer
