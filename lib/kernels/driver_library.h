// NVIDIA's driver, for what no other library has a name for.
#pragma once

#include <dlfcn.h>

namespace fer::kernels {

/// As dlopen() gives it; null where there is none. It stays open.
inline void* driver_library() {
  static void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  return driver;
}

}  // namespace fer::kernels
