#include <stdexcept>

#include "commands/exchange_commands.h"

namespace fer {

void add_learn_service(CLI::App& app) {
  CLI::App* c =
      app.add_subcommand("learn-service", "Not in this build: needs libmosquitto, SQLite and zlib");
  c->allow_extras();
  c->callback([] {
    throw std::runtime_error(
        "fer learn-service is not in this build; install libmosquitto-dev, libsqlite3-dev and "
        "zlib1g-dev, and build again");
  });
}

}  // namespace fer
