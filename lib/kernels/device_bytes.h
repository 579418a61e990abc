// Memory of a device.
#pragma once

#include <cstddef>

#include "kernels/cuda_error.h"
#include "kernels/kernel_table.h"

namespace fer::kernels {

/// Memory of the current device that grows as it is needed and is given back in the end.
class DeviceBytes {
 public:
  explicit DeviceBytes(const KernelTable& kernels) : kernels_(kernels) {}
  ~DeviceBytes() {
    if (data_) kernels_.release(data_);
  }
  DeviceBytes(const DeviceBytes&) = delete;
  DeviceBytes& operator=(const DeviceBytes&) = delete;

  /// At least so many; what was in them is lost where they were fewer. Throws std::runtime_error
  /// with CUDA's words.
  void* need(std::size_t bytes) {
    if (bytes <= size_) return data_;
    if (data_) kernels_.release(data_);
    data_ = nullptr;
    size_ = 0;
    throw_on_cuda_error(kernels_.allocate(&data_, bytes));
    size_ = bytes;
    return data_;
  }

 private:
  const KernelTable& kernels_;
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace fer::kernels
