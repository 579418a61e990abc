// The program `fer`: trains and evaluates expression models.
#include <csignal>
#include <cstdio>
#include <exception>

#include "commands.h"

namespace fer {
std::atomic<bool> stop_requested{false};
}

int main(int argc, char** argv) {
  std::signal(SIGINT, [](int) { fer::stop_requested = true; });
  std::signal(SIGTERM, [](int) { fer::stop_requested = true; });
  CLI::App app("Trains, evaluates and looks at facial-expression models.", "fer");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("gst-fer ") + PACKAGE_VERSION);
  fer::add_train(app);
  fer::add_pack(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fer: %s\n", error.what());
    return 1;
  }
  return 0;
}
