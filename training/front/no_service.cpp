#include <stdexcept>
#include <string>

#include "front/commands.h"

namespace fer {
namespace {

void add(CLI::App& app, const std::string& name) {
  CLI::App* c =
      app.add_subcommand(name, "Not in this build: needs toml++, cpp-httplib and OpenSSL");
  c->allow_extras();
  c->callback([name] {
    throw std::runtime_error(
        "fer " + name +
        " is not in this build; install libtomlplusplus-dev, libcpp-httplib-dev and libssl-dev, "
        "and build again with -Dservice=enabled, which says what else is missing");
  });
}

}  // namespace

void add_run(CLI::App& app) {
  add(app, "run");
}

void add_label(CLI::App& app) {
  add(app, "label");
}

}  // namespace fer
