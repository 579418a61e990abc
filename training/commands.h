// The sub-commands of the program `fer`. Each adds itself to the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>

namespace fer {

/// Set by SIGINT and SIGTERM: long jobs save what they have and return.
extern std::atomic<bool> stop_requested;

void add_train(CLI::App& app);
void add_eval(CLI::App& app);
void add_pack(CLI::App& app);
void add_info(CLI::App& app);
void add_doctor(CLI::App& app);

}  // namespace fer
