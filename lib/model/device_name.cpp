#include "model/device_name.h"

#include <charconv>
#include <stdexcept>

#include "kernels/driver_library.h"
#include "model/torch_backend.h"

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

/// What keeps LibTorch from using a device; empty where nothing does.
std::string obstacle(const TorchBackend* backend, const std::string& reason) {
  if (!backend) {
    return "it is computed by LibTorch, and gst-fer's library for that (" FER_TORCH_LIBRARY_NAME
           ") cannot be opened: " +
           reason + "; install it, built with -Dtorch_dir= against a LibTorch with CUDA";
  }
  if (backend->has_cuda()) return {};
  return "LibTorch " + std::string(backend->torch_version) +
         " finds no CUDA device: it takes a card, its driver (nvidia-smi shows both) and a build "
         "against a LibTorch with CUDA (meson setup -Dtorch_dir=)";
}

}  // namespace

std::string resolve_device(const std::string& name, std::string* fallback) {
  if (fallback) fallback->clear();
  if (name == "cpu") return name;
  const int index = name == "auto" ? 0 : index_of(name);
  if (index < 0)
    throw std::runtime_error("device \"" + name + "\": expected auto, cpu, cuda or cuda:N");
  if (name == "auto" && !kernels::driver_library()) return "cpu";
  std::string reason;
  const TorchBackend* backend = open_torch_backend(reason);
  const std::string missing = obstacle(backend, reason);
  if (!missing.empty()) {
    if (name != "auto") {
      throw std::runtime_error("device " + name + ": " + missing +
                               "; device cpu needs none of them");
    }
    if (fallback) *fallback = missing;
    return "cpu";
  }
  const int count = backend->device_count();
  if (index >= count) {
    throw std::runtime_error(
        "device " + name + ": there " +
        (count == 1 ? "is 1 device" : "are " + std::to_string(count) + " devices") +
        ", counted from 0");
  }
  return "cuda:" + std::to_string(index);
}

}  // namespace fer
