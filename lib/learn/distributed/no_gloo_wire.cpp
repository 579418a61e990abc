#include <stdexcept>

#include "learn/distributed/process_wire.h"

namespace fer {

std::unique_ptr<ProcessWire> make_gloo_wire(const ProcessPlace& place, std::chrono::milliseconds) {
  throw std::runtime_error(
      "WORLD_SIZE=" + std::to_string(place.size) +
      ": this program was built without c10d and Gloo, and trains on processors "
      "in one process; build it where their headers are (libgloo-dev)");
}

bool have_gloo_wire() {
  return false;
}

}  // namespace fer
