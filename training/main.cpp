// The program `fer`: trains and evaluates expression models and face detectors.
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "commands/commands.h"
#include "commands/service_commands.h"
#include "util/first_line.h"
#include "util/join.h"
#include "util/nearest.h"
#include "util/without_secrets.h"

namespace fer {
namespace {

/// True where the words ask for `--task detect`. Looked for before all else: each task has options
/// of its own under the same commands.
bool is_for_detectors(int argc, char** argv) {
  const std::string option = "--task", value = "detect";
  for (int i = 1; i < argc; ++i) {
    if (argv[i] == option + "=" + value) return true;
    if (argv[i] == option && i + 1 < argc && argv[i + 1] == value) return true;
  }
  return false;
}

/// Takes `--task` where the command has tasks; what it says is known by now.
void add_task(CLI::App& app) {
  for (const char* name : {"train", "eval", "pack"}) {
    app.get_subcommand(name)
        ->add_option_function<std::string>(
            "--task", [](const std::string&) {},
            "expression: the faces' expressions; detect: finding faces. Each has options of its "
            "own: see --task detect --help")
        ->check(CLI::IsMember({"expression", "detect"}))
        ->default_str("expression");
  }
}

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

int run(int argc, char** argv) {
  CLI::App app("Trains, evaluates and looks at models of facial expressions and face detectors.",
               "fer");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("gst-fer ") + PACKAGE_VERSION);
  app.footer(
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted (what was done is kept).");
  const bool detectors = is_for_detectors(argc, argv);
  (detectors ? add_train_detector : add_train)(app);
  add_pretrain(app);
  (detectors ? add_eval_detector : add_eval)(app);
  add_sweep(app);
  add_report(app);
  (detectors ? add_pack_detector : add_pack)(app);
  add_task(app);
  add_adapt(app);
  add_replay(app);
  add_average(app);
  add_calibrate(app);
  add_shrink(app);
  add_export(app);
  add_import(app);
  add_teach(app);
  add_watch(app);
  add_info(app);
  add_doctor(app);
  add_run(app);
  add_label(app);
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
  } catch (const c10::OutOfMemoryError& full) {
    std::fprintf(stderr, "fer: %s A smaller --batch needs less, --device cpu none of it.\n",
                 first_line(full.what()).c_str());
    return kBadInput;
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "fer: %s\n", without_secrets(first_line(error.what())).c_str());
    return kBadInput;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fer: %s\n", without_secrets(error.what()).c_str());
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
}  // namespace fer

int main(int argc, char** argv) {
  fer::catch_stop_signals();
  return fer::end_output(fer::run(argc, argv));
}
