#include "program/learning_program.h"

#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "util/build_tree.h"

namespace fer {

namespace fs = std::filesystem;

fs::path learning_program() {
  const fs::path folder =
      in_build_tree() ? fs::path(FER_BUILD_FOLDER) / "training" : fs::path(FER_INSTALLED_PROGRAMS);
  const fs::path file = folder / "fer-learn";
  return ::access(file.c_str(), X_OK) == 0 ? file : fs::path();
}

std::string how_to_get_learning() {
  return in_build_tree() ? "run scripts/setup, and build with -Dtorch=enabled"
                         : "install the package gst-fer-learn, or build with -Dtorch=enabled";
}

void become_learning_program(char** argv) {
  const std::string command = argv[1];
  const fs::path program = learning_program();
  if (program.empty()) {
    throw std::runtime_error(command +
                             ": needs LibTorch and what learns with it, which is not here; " +
                             how_to_get_learning());
  }
  ::execv(program.c_str(), argv);
  throw std::runtime_error(command + ": " + program.string() +
                           " cannot be started: " + std::generic_category().message(errno));
}

}  // namespace fer
