#include <stdexcept>

#include "learn/distributed/communicator.h"

namespace fer {

std::unique_ptr<Communicator> make_nccl_communicator(const DistributedEnv& env,
                                                     std::chrono::milliseconds, torch::Device) {
  throw std::runtime_error("WORLD_SIZE=" + std::to_string(env.size) +
                           ": this program was built against a LibTorch without c10d, and trains "
                           "in one process");
}

}  // namespace fer
