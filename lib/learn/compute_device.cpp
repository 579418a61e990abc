#include "learn/compute_device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <stdexcept>

#include "cuda/open_kernels.h"
#include "learn/process_group.h"
#include "model/device_name.h"

namespace fer {
namespace {

/// "cuda" alone is the first.
int number_of(torch::Device device) {
  return std::max<int>(0, device.index());
}

}  // namespace

torch::Device compute_device(const std::string& name, const ProcessGroup* group) {
  const std::string found = group ? group->device() : resolve_device(name);
  if (found == "cpu") return torch::kCPU;
  // Batches have one shape all through a run, so that the search for the fastest convolution pays.
  at::globalContext().setBenchmarkCuDNN(true);
  return torch::Device(found);
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
