#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "learn/distributed/communicator.h"
#include "learn/distributed/nccl_library.h"
#include "learn/distributed/process_store.h"

namespace fer {
namespace {

constexpr char kIdKey[] = "nccl-id";

NcclType type_of(const torch::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case torch::kFloat:
      return NcclType::kFloat;
    case torch::kDouble:
      return NcclType::kDouble;
    case torch::kHalf:
      return NcclType::kHalf;
    case torch::kBFloat16:
      return NcclType::kBf16;
    case torch::kInt:
      return NcclType::kInt32;
    case torch::kLong:
      return NcclType::kInt64;
    case torch::kByte:
    case torch::kBool:
      return NcclType::kUint8;
    default:
      throw std::invalid_argument(std::string("NCCL moves no ") +
                                  torch::toString(tensor.scalar_type()));
  }
}

std::size_t count_of(const torch::Tensor& tensor) {
  return static_cast<std::size_t>(tensor.numel());
}

/// Runs on the device's default stream, as LibTorch does. Tensors in the processor's memory are
/// copied to the device and back.
class NcclCommunicator : public Communicator {
 public:
  NcclCommunicator(const DistributedEnv& env, std::chrono::milliseconds patience,
                   torch::Device device)
      : nccl_(open_nccl()),
        size_(env.size),
        patience_(patience),
        device_(device),
        store_(meet(env, patience)) {
    NcclId id{};
    if (env.rank == 0) {
      check(nccl_.get_unique_id(&id));
      store_->set(kIdKey, std::vector<std::uint8_t>(id.bytes.begin(), id.bytes.end()));
    } else {
      const std::vector<std::uint8_t> told = store_->get(kIdKey);
      if (told.size() != id.bytes.size()) throw std::runtime_error("RANK 0 uses another NCCL");
      std::copy(told.begin(), told.end(), id.bytes.begin());
    }
    const c10::DeviceGuard on(device_);
    check(nccl_.comm_init_rank(&comm_, size_, id, env.rank));
  }
  ~NcclCommunicator() override {
    if (comm_) nccl_.comm_destroy(comm_);
  }

  void sum(torch::Tensor& tensor) override {
    in_place(tensor, [&](const torch::Tensor& there) {
      return nccl_.all_reduce(there.data_ptr(), there.data_ptr(), count_of(there), type_of(there),
                              NcclOperation::kSum, comm_, nullptr);
    });
  }

  void broadcast(torch::Tensor& tensor) override {
    in_place(tensor, [&](const torch::Tensor& there) {
      return nccl_.broadcast(there.data_ptr(), there.data_ptr(), count_of(there), type_of(there),
                             /*root=*/0, comm_, nullptr);
    });
  }

  torch::Tensor gather(const torch::Tensor& tensor) override {
    const torch::Tensor own = tensor.to(device_);
    std::vector<std::int64_t> shape = own.sizes().vec();
    shape.insert(shape.begin(), size_);
    const torch::Tensor all = torch::empty(shape, own.options());
    run([&] {
      return nccl_.all_gather(own.data_ptr(), all.data_ptr(), count_of(own), type_of(own), comm_,
                              nullptr);
    });
    return all.to(tensor.device());
  }

 private:
  template <typename Exchange>
  void in_place(torch::Tensor& tensor, Exchange&& exchange) {
    const torch::Tensor there = tensor.to(device_);
    run([&] { return exchange(there); });
    if (!there.is_same(tensor)) tensor.copy_(there);
  }

  template <typename Exchange>
  void run(Exchange&& exchange) {
    if (!comm_) throw std::runtime_error("an exchange before this one failed");
    const c10::DeviceGuard on(device_);
    check(exchange());
    finish();
  }

  /// NCCL itself would wait for ever for a process that is gone.
  void finish() {
    if (device_.is_cpu()) return;  // a library of the tests, which is done when it returns
    c10::Event done(device_.type());
    done.record(c10::impl::VirtualGuardImpl(device_.type()).getDefaultStream(device_));
    const auto end = std::chrono::steady_clock::now() + patience_;
    while (!done.query()) {
      NcclResult state{};
      check(nccl_.comm_get_async_error(comm_, &state));
      if (state != NcclResult::kInProgress) check(state);
      if (std::chrono::steady_clock::now() > end) abort("no answer");
      std::this_thread::yield();
    }
  }

  void check(NcclResult result) {
    if (result != NcclResult::kSuccess) abort(nccl_.get_error_string(result));
  }

  [[noreturn]] void abort(const std::string& reason) {
    if (comm_) nccl_.comm_abort(comm_);
    comm_ = nullptr;
    throw std::runtime_error("NCCL: " + reason);
  }

  const NcclLibrary& nccl_;
  const int size_;
  const std::chrono::milliseconds patience_;
  const torch::Device device_;
  const c10::intrusive_ptr<c10d::Store> store_;  ///< Rank 0's must be there for the others.
  NcclComm comm_ = nullptr;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(const DistributedEnv& env,
                                                     std::chrono::milliseconds patience,
                                                     torch::Device device) {
  open_nccl();
  return meeting<NcclCommunicator>(env, patience, device);
}

}  // namespace fer
