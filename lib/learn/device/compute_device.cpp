#include "learn/device/compute_device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "kernels/open_kernels.h"
#include "learn/distributed/process_group.h"
#include "model/device_name.h"

namespace fer {
namespace {

/// "cuda" without a number is the first device.
int number_of(torch::Device device) {
  return std::max<int>(0, device.index());
}

/// Orders work on a device's default stream: it starts after the work that the thread's current
/// stream has now, and later work of that stream waits for it. Does nothing where both streams are
/// the same.
class InTurn {
 public:
  explicit InTurn(torch::Device device) {
    const c10::impl::VirtualGuardImpl streams(device.type());
    const torch::Device numbered(device.type(), static_cast<c10::DeviceIndex>(number_of(device)));
    const c10::Stream current = streams.getStream(numbered),
                      standard = streams.getDefaultStream(numbered);
    if (current == standard) return;
    streams_ = {current, standard};
    order(current, standard);
  }
  /// Call it after the launch.
  void end() {
    if (streams_) order(streams_->second, streams_->first);
  }

 private:
  static void order(const c10::Stream& first, const c10::Stream& second) {
    c10::Event event(first.device_type());
    event.record(first);
    event.block(second);
  }

  std::optional<std::pair<c10::Stream, c10::Stream>>
      streams_;  ///< The current and the default one.
};

}  // namespace

torch::Device compute_device(const std::string& name, const ProcessGroup* group) {
  const std::string found = group ? group->device() : resolve_device(name);
  if (found == "cpu") return torch::kCPU;
  // All batches of a run have the same shape, so that the search for the fastest convolution pays.
  at::globalContext().setBenchmarkCuDNN(true);
  return torch::Device(found);
}

void launch_on(torch::Device device, const kernels::KernelTable& table, const std::string& what,
               const std::function<const char*()>& launch) {
  InTurn in_turn(device);
  const char* refusal = table.use_device(number_of(device));
  if (!refusal) refusal = launch();
  // Also where a launch was refused: earlier ones are under way.
  in_turn.end();
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

torch::Tensor numbers_on(torch::Device device, const std::vector<std::int64_t>& numbers) {
  torch::Tensor here = torch::empty({static_cast<std::int64_t>(numbers.size())},
                                    host_memory(device).dtype(torch::kLong));
  std::copy(numbers.begin(), numbers.end(), here.data_ptr<std::int64_t>());
  return here.to(device, /*non_blocking=*/true);
}

}  // namespace fer
