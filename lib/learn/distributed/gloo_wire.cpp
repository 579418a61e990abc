#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <vector>

#include "learn/distributed/process_store.h"
#include "learn/distributed/process_wire.h"

namespace fer {
namespace {

class GlooWire : public ProcessWire {
 public:
  GlooWire(const ProcessPlace& place, std::chrono::milliseconds patience) : size_(place.size) {
    const auto store = meet(place, patience);
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

std::unique_ptr<ProcessWire> make_gloo_wire(const ProcessPlace& place,
                                            std::chrono::milliseconds patience) {
  return meeting<GlooWire>(place, patience);
}

bool have_gloo_wire() {
  return true;
}

}  // namespace fer
