// The program `fer-learn`: the commands of `fer` that need LibTorch. `fer` starts it (program/).
#include <c10/util/Exception.h>

#include <exception>
#include <string>

#include "commands/commands.h"
#include "commands/exchange_commands.h"
#include "program/command_line.h"
#include "program/learning_commands.h"
#include "util/first_line.h"

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

/// LibTorch's errors say where in its own code they happened, line by line.
std::string explain(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error))
    return first_line(error.what()) + " A smaller --batch needs less, --device cpu none of it.";
  if (dynamic_cast<const c10::Error*>(&error)) return first_line(error.what());
  return error.what();
}

int run(int argc, char** argv) {
  CLI::App app("Trains and evaluates models of facial expressions and face detectors.", "fer");
  set_up(app);
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
  add_learn_service(app);
  add_info(app);
  for (const LearningCommand& command : kLearningCommands) {
    CLI::App* one = app.get_subcommand(command.name);
    if (one->get_description().empty()) one->description(command.about);
  }
  add_learning_doctor(app);
  return run_command_line(app, argc, argv, explain);
}

}  // namespace
}  // namespace fer

int main(int argc, char** argv) {
  return fer::run(argc, argv);
}
