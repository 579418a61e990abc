#include "learn/compute_device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "cuda/open_kernels.h"
#include "learn/process_group.h"

namespace fer {
namespace {

/// Several hundred megabytes, which who computes on the processor need not load.
bool open_cuda() {
  static const bool open = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr;
  return open && torch::cuda::is_available();
}

/// The number in "cuda:N"; 0 for "cuda"; -1 for what is neither.
int index_of(const std::string& name) {
  if (name == "cuda") return 0;
  int index = -1;
  if (!name.starts_with("cuda:")) return -1;
  const char* end = name.data() + name.size();
  const auto [stopped, error] = std::from_chars(name.data() + 5, end, index);
  return error == std::errc() && stopped == end && index <= 127 ? index : -1;
}

/// "cuda" alone is the first.
int number_of(torch::Device device) {
  return std::max<int>(0, device.index());
}

}  // namespace

torch::Device compute_device(const std::string& name, const ProcessGroup* group) {
  const bool several = group && group->size() > 1;
  if (name == "cpu") return torch::kCPU;
  const int index = name == "auto" ? 0 : index_of(name);
  if (index < 0)
    throw std::runtime_error("device \"" + name + "\": expected auto, cpu, cuda or cuda:N");
  if (name == "auto" && (several || !open_cuda())) return torch::kCPU;
  const std::string where = "device " + name + ": ";
  if (several) {
    throw std::runtime_error(where +
                             "several processes train on processors; train in one, or with "
                             "--device cpu");
  }
  if (!open_cuda()) {
    throw std::runtime_error(
        where + "LibTorch " TORCH_VERSION
                " finds no CUDA device: it takes a card, its driver "
                "(nvidia-smi shows both) and a build against a LibTorch with CUDA (meson setup "
                "-Dtorch_dir=); --device cpu needs none of them");
  }
  const int count = static_cast<int>(torch::cuda::device_count());
  if (index >= count) {
    throw std::runtime_error(
        where + "there " +
        (count == 1 ? "is 1 device" : "are " + std::to_string(count) + " devices") +
        ", counted from 0");
  }
  // Batches have one shape all through a run, so that the search for the fastest convolution pays.
  at::globalContext().setBenchmarkCuDNN(true);
  return {torch::kCUDA, static_cast<torch::DeviceIndex>(index)};
}

void launch_on(torch::Device device, const kernels::KernelTable& table, const std::string& what,
               const std::function<const char*()>& launch) {
  const char* refusal = table.use_device(number_of(device));
  if (!refusal) refusal = launch();
  if (refusal) throw std::runtime_error(what + " on the device: " + refusal);
}

const kernels::KernelTable* kernels_for(torch::Device device, std::string* refusal) {
  if (!device.is_cuda()) return nullptr;
  try {
    return &kernels::open_kernels(number_of(device));
  } catch (const std::runtime_error& error) {
    if (refusal) *refusal = error.what();
    return nullptr;
  }
}

int view_workers(torch::Device device) {
  return device.is_cpu() ? 1 : std::max(1, at::get_num_threads());
}

torch::TensorOptions host_memory(torch::Device device) {
  return torch::TensorOptions().pinned_memory(device.is_cuda());
}

}  // namespace fer
