// Collective operations on tensors, by Gloo or NCCL.
#pragma once

#include <c10/util/Exception.h>
#include <torch/types.h>

#include <chrono>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include "learn/distributed/distributed_env.h"
#include "util/first_line.h"

namespace fer {

/// Collective operations. All processes make the same calls in the same order, with contiguous
/// tensors of the same shape and type. Each call returns when it is done, and throws std::exception
/// where another process has gone or does not call in time.
class Communicator {
 public:
  virtual ~Communicator() = default;
  /// Replaces a tensor by its sum over the processes. All get the same bits.
  virtual void sum(torch::Tensor& tensor) = 0;
  /// Replaces a tensor by rank 0's.
  virtual void broadcast(torch::Tensor& tensor) = 0;
  /// The tensors of all ranks: size x (the tensor's shape).
  virtual torch::Tensor gather(const torch::Tensor& tensor) = 0;
};

/// Between CPUs, over TCP: c10d with Gloo. Waits for all to come. GLOO_SOCKET_IFNAME names the
/// network interface where the machine's own name leads to another. Throws std::runtime_error that
/// names MASTER_ADDR and MASTER_PORT where they do not come, or WORLD_SIZE where this build has no
/// Gloo.
std::unique_ptr<Communicator> make_gloo_communicator(const DistributedEnv& env,
                                                     std::chrono::milliseconds patience);

/// True where this build has Gloo.
bool have_gloo_communicator();

/// Between CUDA devices, one a process: NCCL. Tensors may lie on `device` or in the processor's
/// memory. Throws std::runtime_error as make_gloo_communicator() does, and where NCCL does not
/// open.
std::unique_ptr<Communicator> make_nccl_communicator(const DistributedEnv& env,
                                                     std::chrono::milliseconds patience,
                                                     torch::Device device);

/// The error's first line; LibTorch appends the place in its own code.
inline std::string reason(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  return first_line(of_torch ? of_torch->what_without_backtrace() : error.what());
}

/// "300 s".
inline std::string seconds_text(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

/// Makes a communicator; where the others do not come, throws an error that says so.
template <typename Kind, typename... More>
std::unique_ptr<Communicator> meeting(const DistributedEnv& env, std::chrono::milliseconds patience,
                                      const More&... more) {
  try {
    return std::make_unique<Kind>(env, patience, more...);
  } catch (const std::exception& error) {
    throw std::runtime_error("MASTER_ADDR=" + env.host + ", MASTER_PORT=" +
                             std::to_string(env.port) + ": RANK " + std::to_string(env.rank) +
                             " did not meet the other processes of " + std::to_string(env.size) +
                             " within " + seconds_text(patience) + " (" + reason(error) + ")");
  }
}

}  // namespace fer
