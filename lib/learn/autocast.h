// bfloat16 autocast on the CPU for a scope.
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace fer {

/// While it lives, convolutions and matrix products of this thread run in bfloat16.
class Bf16Scope {
 public:
  explicit Bf16Scope(bool enabled) : enabled_(enabled) {
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
  static void set(bool on) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, on);
#else
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(on);
#endif
  }
  const bool enabled_;
};

}  // namespace fer
