#include <cstdlib>
#include <stdexcept>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "learn/process_wire.h"

namespace fer {
namespace {

/// From LibTorch 2.4 on it is libuv that meets the others, unless told otherwise; Debian's is built
/// without it.
template <typename Options>
void meet_by_sockets(Options& options) {
  if constexpr (requires { options.useLibUV; }) options.useLibUV = false;
}

c10::intrusive_ptr<c10d::Store> store_of(const ProcessPlace& place,
                                         std::chrono::milliseconds patience) {
  c10d::TCPStoreOptions options;
  options.port = place.port;
  options.isServer = place.rank == 0;
  options.numWorkers = static_cast<std::size_t>(place.size);
  options.timeout = patience;
  meet_by_sockets(options);
  return c10::make_intrusive<c10d::TCPStore>(place.host, options);
}

class GlooWire : public ProcessWire {
 public:
  GlooWire(const ProcessPlace& place, std::chrono::milliseconds patience) : size_(place.size) {
    const auto store = store_of(place, patience);
    const auto options = c10d::ProcessGroupGloo::Options::create(patience);
    const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
    options->devices.push_back(
        interface ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                  : c10d::ProcessGroupGloo::createDefaultDevice());
    group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store, place.rank, place.size, options);
  }

  void sum(torch::Tensor& tensor) override {
    std::vector<torch::Tensor> tensors{tensor};
    group_->allreduce(tensors)->wait();
  }

  void broadcast(torch::Tensor& tensor) override {
    std::vector<torch::Tensor> tensors{tensor};
    group_->broadcast(tensors)->wait();
  }

  torch::Tensor gather(const torch::Tensor& tensor) override {
    std::vector<torch::Tensor> mine{tensor};
    std::vector<std::vector<torch::Tensor>> all(1);
    for (int i = 0; i < size_; ++i) all[0].push_back(torch::empty_like(tensor));
    group_->allgather(all, mine)->wait();
    return torch::stack(all[0]);
  }

 private:
  const int size_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

}  // namespace

std::unique_ptr<ProcessWire> make_wire(const ProcessPlace& place,
                                       std::chrono::milliseconds patience) {
  try {
    return std::make_unique<GlooWire>(place, patience);
  } catch (const std::exception& error) {
    throw std::runtime_error("MASTER_ADDR=" + place.host + ", MASTER_PORT=" +
                             std::to_string(place.port) + ": RANK " + std::to_string(place.rank) +
                             " did not meet the other processes of " + std::to_string(place.size) +
                             " within " + seconds_text(patience) + " (" + reason(error) + ")");
  }
}

bool have_wire() {
  return true;
}

}  // namespace fer
