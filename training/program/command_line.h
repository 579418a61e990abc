// What the programs `fer` and `fer-learn` have in common: one command line in two parts.
#pragma once

#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <string>

namespace fer {

/// Gives the application its version, its exit codes, and the rule of one command.
void set_up(CLI::App& app);

/// How an exception is told, in one sentence.
using Explain = std::function<std::string(const std::exception&)>;

/// Carries out what the words ask for, says what goes wrong on stderr, and returns the exit code.
/// What was printed is flushed then; an output that cannot be written is bad input, too.
int run_command_line(CLI::App& app, int argc, char** argv, const Explain& explain);

}  // namespace fer
