// Other programs, asked for what they know.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace fer {

struct ProgramResult {
  bool ran = false;  ///< It was found in PATH and ended within the limit.
  int status = -1;   ///< Its exit status; -1 where a signal ended it.
  std::string out;   ///< What it wrote to stdout.
};

/// Runs a program without a shell; its stdin and stderr are /dev/null. Past the limit it is killed.
ProgramResult run_program(const std::vector<std::string>& command, std::chrono::seconds limit);

}  // namespace fer
