// The program `fer`. What needs LibTorch is in a program of its own, `fer-learn`, which takes over
// when such a command is asked for: loading LibTorch takes time and memory.
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "front/commands.h"
#include "program/command_line.h"
#include "program/learning_commands.h"
#include "program/learning_program.h"
#include "terminal/interrupt.h"

namespace fer {
namespace {

/// The commands of the other program, to be told by --help. Those that are not here stand apart.
void add_learning_commands(CLI::App& app) {
  const bool here = !learning_program().empty();
  for (const LearningCommand& command : kLearningCommands) {
    CLI::App* one = app.add_subcommand(command.name, command.about);
    if (!here) one->group("Not installed; " + how_to_get_learning());
    one->callback([] { throw std::runtime_error("expected the command before all else"); });
  }
}

/// Returns only where the other program cannot take over. Before signals are caught: what comes
/// until then ends this process, and is not lost.
int hand_over(char** argv) {
  try {
    become_learning_program(argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fer: %s\n", error.what());
    return kBadInput;
  }
}

int run(int argc, char** argv) {
  if (argc > 1 && find_learning_command(argv[1])) return hand_over(argv);
  CLI::App app(
      "Reads facial expressions in photos, videos and cameras; trains, evaluates and looks "
      "at models of them.",
      "fer");
  set_up(app);
  add_watch(app);
  add_run(app);
  add_label(app);
  add_doctor(app);
  add_learning_commands(app);
  return run_command_line(app, argc, argv,
                          [](const std::exception& error) { return error.what(); });
}

}  // namespace
}  // namespace fer

int main(int argc, char** argv) {
  return fer::run(argc, argv);
}
