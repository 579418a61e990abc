// Memory of a device.
#pragma once

#include <cstddef>

#include "kernels/cuda_error.h"
#include "kernels/kernel_table.h"

namespace fer::kernels {

/// A buffer in the current device's memory that grows on demand and is freed in the end.
class DeviceBytes {
 public:
  explicit DeviceBytes(const KernelTable& kernels) : kernels_(kernels) {}
  ~DeviceBytes() {
    if (data_) kernels_.release(data_);
  }
  DeviceBytes(const DeviceBytes&) = delete;
  DeviceBytes& operator=(const DeviceBytes&) = delete;

  /// A pointer to at least `bytes` bytes; their contents are lost where the buffer had to grow.
  /// Throws std::runtime_error with CUDA's words.
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
