// bfloat16 autocast for a scope.
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace fer {

/// While it lives, this thread's convolutions and matrix products on that kind of device run in
/// bfloat16.
class Bf16Scope {
 public:
  explicit Bf16Scope(bool enabled, at::Device device = at::kCPU)
      : enabled_(enabled), cuda_(device.is_cuda()) {
    if (enabled_) set(true);
  }
  ~Bf16Scope() {
    if (!enabled_) return;
    at::autocast::clear_cache();
    set(false);
  }
  Bf16Scope(const Bf16Scope&) = delete;
  Bf16Scope& operator=(const Bf16Scope&) = delete;

 private:
  void set(bool on) const {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    const at::DeviceType type = cuda_ ? at::kCUDA : at::kCPU;
    at::autocast::set_autocast_dtype(type, at::kBFloat16);
    at::autocast::set_autocast_enabled(type, on);
#else
    if (cuda_) {
      at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
      at::autocast::set_enabled(on);
    } else {
      at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
      at::autocast::set_cpu_enabled(on);
    }
#endif
  }
  const bool enabled_, cuda_;
};

}  // namespace fer
