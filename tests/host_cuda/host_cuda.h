// What the device of the tests (host_cuda.cpp) did, for the tests.
#pragma once

#include <cstdint>

namespace host_cuda {

struct Counts {
  std::uint64_t downloaded = 0;  ///< Bytes that left the device's memory for the processor's.
  std::uint64_t launches = 0;    ///< Of kernels.
};

/// The symbol to look up in libcuda.so.1, of this type.
inline constexpr const char* kCountsSymbol = "host_cuda_counts";
using CountsGetter = void (*)(Counts*);

/// Has all memory that is asked for from now on refused, or no more.
inline constexpr const char* kOutOfMemorySymbol = "host_cuda_run_out_of_memory";
using OutOfMemorySetter = void (*)(bool);

}  // namespace host_cuda
