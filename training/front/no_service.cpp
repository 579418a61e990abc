#include <stdexcept>

#include "front/commands.h"

namespace fer {

void add_run(CLI::App& app) {
  CLI::App* c =
      app.add_subcommand("run", "Not in this build: needs toml++, cpp-httplib and OpenSSL");
  c->allow_extras();
  c->callback([] {
    throw std::runtime_error(
        "fer run is not in this build; install libtomlplusplus-dev, libcpp-httplib-dev and "
        "libssl-dev, and build again with -Dservice=enabled, which says what else is missing");
  });
}

}  // namespace fer
