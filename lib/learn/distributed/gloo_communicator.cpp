#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <vector>

#include "learn/distributed/communicator.h"
#include "learn/distributed/process_store.h"

namespace fer {
namespace {

class GlooCommunicator : public Communicator {
 public:
  GlooCommunicator(const DistributedEnv& env, std::chrono::milliseconds patience)
      : size_(env.size) {
    const auto store = meet(env, patience);
    const auto options = c10d::ProcessGroupGloo::Options::create(patience);
    const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
    options->devices.push_back(
        interface ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                  : c10d::ProcessGroupGloo::createDefaultDevice());
    group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store, env.rank, env.size, options);
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

std::unique_ptr<Communicator> make_gloo_communicator(const DistributedEnv& env,
                                                     std::chrono::milliseconds patience) {
  return meeting<GlooCommunicator>(env, patience);
}

bool have_gloo_communicator() {
  return true;
}

}  // namespace fer
