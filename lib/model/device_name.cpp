#include "model/device_name.h"

#include <dlfcn.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <charconv>
#include <stdexcept>

#include "kernels/driver_library.h"

namespace fer {
namespace {

/// The number in "cuda:N"; 0 for "cuda"; -1 for what is neither.
int index_of(const std::string& name) {
  if (name == "cuda") return 0;
  int index = -1;
  if (!name.starts_with("cuda:")) return -1;
  const char* end = name.data() + name.size();
  const auto [stopped, error] = std::from_chars(name.data() + 5, end, index);
  return error == std::errc() && stopped == end && index <= 127 ? index : -1;
}

/// LibTorch's CUDA half may be a library of its own, which is not linked; and whether there is one
/// must not be asked before it is open.
bool torch_has_cuda() {
  static const bool open = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr;
  return open && torch::cuda::is_available();
}

const char* const kWhatItTakes = "LibTorch " TORCH_VERSION
                                 " finds no CUDA device: it takes a card, its driver (nvidia-smi "
                                 "shows both) and a build against "
                                 "a LibTorch with CUDA (meson setup -Dtorch_dir=)";

}  // namespace

std::string resolve_device(const std::string& name, std::string* fallback) {
  if (fallback) fallback->clear();
  if (name == "cpu") return name;
  const int index = name == "auto" ? 0 : index_of(name);
  if (index < 0)
    throw std::runtime_error("device \"" + name + "\": expected auto, cpu, cuda or cuda:N");
  if (name == "auto" && !kernels::driver_library()) return "cpu";
  if (!torch_has_cuda()) {
    if (name != "auto") {
      throw std::runtime_error("device " + name + ": " + kWhatItTakes +
                               "; device cpu needs none of them");
    }
    if (fallback) *fallback = kWhatItTakes;
    return "cpu";
  }
  const int count = static_cast<int>(torch::cuda::device_count());
  if (index >= count) {
    throw std::runtime_error(
        "device " + name + ": there " +
        (count == 1 ? "is 1 device" : "are " + std::to_string(count) + " devices") +
        ", counted from 0");
  }
  return "cuda:" + std::to_string(index);
}

void open_devices() {
  if (kernels::driver_library()) torch_has_cuda();
}

}  // namespace fer
