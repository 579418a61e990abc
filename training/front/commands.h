// The commands that the program `fer` has itself, without LibTorch. Each adds itself to the command
// line. A build that lacks what one needs has it as well, to say what is missing.
#pragma once

#include <CLI/CLI.hpp>

namespace fer {

void add_watch(CLI::App& app);
void add_run(CLI::App& app);
void add_label(CLI::App& app);
void add_doctor(CLI::App& app);

}  // namespace fer
