// Opens libfer-cuda where a CUDA driver answers. CUDA is optional: without it this says what is
// missing, and the CPU forms do the same work.
#pragma once

#include <string>

#include "kernels/kernel_table.h"

namespace fer::kernels {

/// Whether CUDA works here, and what is missing.
struct CudaFacts {
  bool built = true;          ///< False: built with -Dcuda=disabled or without nvcc.
  bool driver_found = false;  ///< libcuda.so.1 could be opened.
  int driver_error = 0;       ///< Result of its cuInit(); 0: the driver works.
  int driver_version = 0;     ///< In CUDA's count: 12040 is 12.4.
  std::string library_error;  ///< Why libfer-cuda could not be opened; empty: it was.
  int toolkit = 0;            ///< The CUDA that libfer-cuda was built with, in the same count.
  std::string architectures;  ///< The architectures that it was built for, for people.
  int devices = 0;
  std::string device_error;  ///< Why the device does not run the kernels; empty: it does.
};

/// One sentence with the remedy, or empty where nothing is wrong with `device`.
std::string cuda_refusal(const CudaFacts& facts, int device);

/// The kernels, for the device of this number. They stay open for the life of the process.
/// Throws std::runtime_error with cuda_refusal()'s sentence. Thread-safe.
///
/// Looked for: the file that FER_CUDA_LIBRARY names, the installed library, and what the dynamic
/// linker finds.
const KernelTable& open_kernels(int device = 0);

}  // namespace fer::kernels
