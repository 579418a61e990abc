#include "kernels/open_kernels.h"

#include <dlfcn.h>

#include <stdexcept>

#include "kernels/driver_library.h"
#include "util/optional_library.h"

namespace fer::kernels {
namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// cuda.h's CUDA_ERROR_NO_DEVICE; the header is not needed to build this.
constexpr int kNoDevice = 100;

#ifdef FER_CUDA_LIBRARY_NAME
using CuInit = int (*)(unsigned);
using CuDriverGetVersion = int (*)(int*);

/// Asks the driver by itself: the runtime would only say that something failed.
void ask_driver(CudaFacts& facts) {
  void* driver = driver_library();
  if (!driver) return;
  const auto init = reinterpret_cast<CuInit>(dlsym(driver, "cuInit"));
  const auto version = reinterpret_cast<CuDriverGetVersion>(dlsym(driver, "cuDriverGetVersion"));
  facts.driver_found = init && version;
  if (!facts.driver_found) return;
  facts.driver_error = init(0);
  version(&facts.driver_version);
}

/// Of this version, or null.
const KernelTable* table_in(void* library) {
  const auto getter = reinterpret_cast<KernelTableGetter>(dlsym(library, kKernelTableSymbol));
  const KernelTable* table = getter ? getter() : nullptr;
  return table && table->version == kKernelTableVersion ? table : nullptr;
}
#endif

/// What no call changes: the driver and the library.
struct Opened {
  CudaFacts facts;
  const KernelTable* table = nullptr;

  Opened() {
#ifdef FER_CUDA_LIBRARY_NAME
    ask_driver(facts);
    if (!facts.driver_found || facts.driver_error != 0) return;
    table = open_library({"FER_CUDA_LIBRARY", FER_CUDA_INSTALLED_FOLDER, FER_CUDA_LIBRARY_NAME},
                         facts.library_error, table_in);
    if (!table) return;
    facts.toolkit = table->toolkit;
    facts.architectures = table->architectures;
#else
    facts.built = false;
#endif
  }
};

}  // namespace

std::string cuda_refusal(const CudaFacts& f, int device) {
  const std::string start = "CUDA device " + std::to_string(device) + ": ";
  if (!f.built) {
    return start +
           "this build has no CUDA in it: build with -Dcuda=enabled where nvcc is, or take "
           "the CPU";
  }
  if (!f.driver_found) {
    return start +
           "no NVIDIA driver was found (libcuda.so.1): install one for the card, or take the CPU";
  }
  if (f.driver_error != 0 && f.driver_error != kNoDevice) {
    return start + "the NVIDIA driver does not answer (error " + std::to_string(f.driver_error) +
           " of cuInit): see that nvidia-smi works, after an update of the driver with a restart";
  }
  if (f.driver_error == kNoDevice)
    return start + "the driver finds no device: see what nvidia-smi lists and CUDA_VISIBLE_DEVICES";
  if (!f.library_error.empty()) {
    return start + "libfer-cuda cannot be opened (" + f.library_error +
           "): build with -Dcuda=enabled and nvcc, and install it";
  }
  // Within one major version, older drivers run what newer toolkits compiled.
  if (f.driver_version / 1000 < f.toolkit / 1000) {
    return start + "the driver is for CUDA " + version_text(f.driver_version) +
           " at most, older than the toolkit of this build, " + version_text(f.toolkit) +
           ": update the driver, or build with a toolkit " +
           std::to_string(f.driver_version / 1000);
  }
  if (device < 0 || device >= f.devices) {
    return start + "there is no such device; there are " + std::to_string(f.devices) +
           ", counted from 0: see what nvidia-smi lists and CUDA_VISIBLE_DEVICES";
  }
  if (!f.device_error.empty()) {
    return start + "the kernels do not run there (" + f.device_error +
           "); they were built for the architectures " + f.architectures +
           ": build with the card's in -Dcuda-archs=, as nvidia-smi --query-gpu=compute_cap shows "
           "it without its point";
  }
  return {};
}

const KernelTable& open_kernels(int device) {
  static const Opened opened;
  CudaFacts facts = opened.facts;
  if (opened.table && facts.driver_version / 1000 >= facts.toolkit / 1000) {
    if (const char* error = opened.table->count_devices(&facts.devices)) facts.device_error = error;
    if (device >= 0 && device < facts.devices) {
      if (const char* error = opened.table->check_device(device)) facts.device_error = error;
    }
  }
  if (const std::string refusal = cuda_refusal(facts, device); !refusal.empty())
    throw std::runtime_error(refusal);
  return *opened.table;
}

}  // namespace fer::kernels
