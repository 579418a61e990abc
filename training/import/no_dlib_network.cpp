#include <stdexcept>

#include "import/dlib_network.h"

namespace fer {

bool has_dlib() {
  return false;
}

PublishedFaceNetwork read_dlib_network(const std::filesystem::path& path) {
  throw std::runtime_error(path.string() +
                           ": reading it needs dlib, which this build lacks; install libdlib-dev "
                           "and build again");
}

std::vector<float> dlib_descriptor(const std::filesystem::path& path,
                                   std::span<const std::uint8_t>) {
  read_dlib_network(path);
  return {};
}

}  // namespace fer
