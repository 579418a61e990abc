// The commands of the program `fer-learn`. Each adds itself to the command line; what it does is
// told by program/learning_commands.h.
#pragma once

#include <CLI/CLI.hpp>

#include "terminal/interrupt.h"

namespace fer {

void add_train(CLI::App& app);
void add_pretrain(CLI::App& app);
void add_eval(CLI::App& app);
void add_pack(CLI::App& app);
/// The same names, for `--task detect`.
void add_train_detector(CLI::App& app);
void add_eval_detector(CLI::App& app);
void add_pack_detector(CLI::App& app);
void add_report(CLI::App& app);
void add_adapt(CLI::App& app);
void add_replay(CLI::App& app);
void add_average(CLI::App& app);
void add_calibrate(CLI::App& app);
void add_shrink(CLI::App& app);
void add_sweep(CLI::App& app);
void add_export(CLI::App& app);
void add_import(CLI::App& app);
void add_teach(CLI::App& app);
void add_info(CLI::App& app);
/// What `fer doctor` asks of this program.
void add_learning_doctor(CLI::App& app);

}  // namespace fer
