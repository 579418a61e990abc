// What a device refuses, as an exception.
#pragma once

#include <stdexcept>
#include <string>

namespace fer::kernels {

/// Throws std::runtime_error with CUDA's words, as the functions of KernelTable return them.
inline void throw_on_cuda_error(const char* error) {
  if (error) throw std::runtime_error(std::string("the CUDA device refuses: ") + error);
}

}  // namespace fer::kernels
