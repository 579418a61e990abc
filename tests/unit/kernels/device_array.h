// Memory of a CUDA device for tests and benchmarks.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace fer::test {

/// Throws std::runtime_error with CUDA's words.
inline void check_cuda(cudaError_t error) {
  if (error != cudaSuccess)
    throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

/// Values on the current device.
template <typename Value>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t size) : size_(size) {
    // Of nothing there is memory too, so that no pointer is null.
    check_cuda(cudaMalloc(&data_, (size > 0 ? size : 1) * sizeof(Value)));
  }
  explicit DeviceArray(const std::vector<Value>& values) : DeviceArray(values.size()) {
    check_cuda(cudaMemcpy(data_, values.data(), size_ * sizeof(Value), cudaMemcpyHostToDevice));
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  Value* data() { return static_cast<Value*>(data_); }

  /// Waits for the device.
  std::vector<Value> values() const {
    std::vector<Value> values(size_);
    check_cuda(cudaMemcpy(values.data(), data_, size_ * sizeof(Value), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  std::size_t size_;
  void* data_ = nullptr;
};

}  // namespace fer::test
