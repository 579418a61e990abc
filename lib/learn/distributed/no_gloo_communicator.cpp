#include <stdexcept>

#include "learn/distributed/communicator.h"

namespace fer {

std::unique_ptr<Communicator> make_gloo_communicator(const DistributedEnv& env,
                                                     std::chrono::milliseconds) {
  throw std::runtime_error(
      "WORLD_SIZE=" + std::to_string(env.size) +
      ": this program was built without c10d and Gloo, and trains on processors "
      "in one process; build it where their headers are (libgloo-dev)");
}

bool have_gloo_communicator() {
  return false;
}

}  // namespace fer
