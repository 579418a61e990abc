#include "model/torch_backend.h"

#include <torch/cuda.h>
#include <torch/version.h>

#include "network/aten_engine.h"
#include "network/torch_devices.h"
#include "version.h"

extern "C" __attribute__((visibility("default"))) const fer::TorchBackend* fer_torch_backend_1() {
  static constexpr fer::TorchBackend backend{
      FER_VERSION, TORCH_VERSION, fer::torch_has_cuda,
      [] { return static_cast<int>(torch::cuda::device_count()); }, fer::make_aten_engine};
  return &backend;
}
