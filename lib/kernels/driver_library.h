// NVIDIA's driver library, for calls that no other library offers.
#pragma once

#include <dlfcn.h>

namespace fer::kernels {

/// The driver's handle from dlopen(); null where there is none. It stays open.
inline void* driver_library() {
  static void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  return driver;
}

}  // namespace fer::kernels
