// The program `fer`: trains and evaluates expression models.
#include <cstdio>
#include <exception>

#include "commands.h"

namespace fer {
namespace {

int run(int argc, char** argv) {
  CLI::App app("Trains, evaluates and looks at facial-expression models.", "fer");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("gst-fer ") + PACKAGE_VERSION);
  app.footer(
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted (what was done is kept).");
  add_train(app);
  add_eval(app);
  add_sweep(app);
  add_report(app);
  add_pack(app);
  add_shrink(app);
  add_export(app);
  add_info(app);
  add_doctor(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::RuntimeError& ended) {
    return ended.get_exit_code();
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return kUsage;
  } catch (const Interrupted&) {
    return kInterrupted;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fer: %s\n", error.what());
    return kBadInput;
  }
  return kDone;
}

}  // namespace
}  // namespace fer

int main(int argc, char** argv) {
  fer::catch_stop_signals();
  return fer::run(argc, argv);
}
