#include "program/command_line.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "program/help_formatter.h"
#include "terminal/interrupt.h"
#include "util/join.h"
#include "util/nearest.h"
#include "util/without_secrets.h"

namespace fer {
namespace {

/// For a word that names no command or option, the one that was probably meant; empty: none is
/// near.
std::string meant_by(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  for (const std::string& word : words) {
    std::vector<std::string> known;
    if (word.starts_with("--")) {
      for (const CLI::Option* option : command->get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      }
    } else if (command == &app && !word.starts_with("-")) {
      for (const CLI::App* one : app.get_subcommands({})) known.push_back(one->get_name());
    } else {
      continue;
    }
    const std::string name = word.substr(0, word.find('='));
    if (std::find(known.begin(), known.end(), name) != known.end()) {
      if (command == &app && !name.starts_with("-")) command = app.get_subcommand(name);
      continue;
    }
    // What stands behind a wrong command says nothing.
    const std::string near = nearest(name, known);
    if (!near.empty()) return "\"" + name + "\": did you mean \"" + near + "\"?";
    if (!name.starts_with("-")) {
      return "\"" + name + "\" is no command: there are " + join(known);
    }
  }
  return {};
}

int run(CLI::App& app, int argc, char** argv, const Explain& explain) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::RuntimeError& ended) {
    return ended.get_exit_code();
  } catch (const CLI::ParseError& error) {
    const std::string meant = meant_by(app, {argv + std::min(argc, 1), argv + argc});
    if (meant.empty()) {
      app.exit(error);
    } else {
      std::fprintf(stderr, "fer: %s Run with --help for more information.\n", meant.c_str());
    }
    return kUsage;
  } catch (const Interrupted&) {
    return kInterrupted;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fer: %s\n", without_secrets(explain(error)).c_str());
    return kBadInput;
  }
  return kDone;
}

/// What is buffered goes out here, where it can still be told that it does not.
int end_output(int code) {
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::ferror(stdout) == 0) return code;
  std::fprintf(stderr,
               "fer: standard output: cannot be written; what was printed is not whole, so send it "
               "elsewhere\n");
  return code == kDone ? kBadInput : code;
}

}  // namespace

void set_up(CLI::App& app) {
  app.require_subcommand(1);
  // Commands take it over when they are added.
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("--version", std::string("gst-fer ") + PACKAGE_VERSION);
  app.footer(
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted (what was done is kept).");
}

int run_command_line(CLI::App& app, int argc, char** argv, const Explain& explain) {
  catch_stop_signals();
  return end_output(run(app, argc, argv, explain));
}

}  // namespace fer
