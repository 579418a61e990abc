// Ctrl-C and SIGTERM: long jobs stop at the next safe point and leave whole files behind.
#pragma once

#include <atomic>
#include <exception>

namespace fer {

/// Set by SIGINT and SIGTERM. Long jobs look at it between two steps.
extern std::atomic<bool> stop_requested;

/// Thrown by a job that found `stop_requested` set; the program ends with kInterrupted.
struct Interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

/// Throws Interrupted where a stop was asked for.
inline void stop_if_requested() {
  if (stop_requested) throw Interrupted();
}

/// Lets the first SIGINT or SIGTERM set `stop_requested`; a second one ends the process at once.
void catch_stop_signals();

/// What the program `fer` returns.
enum ExitCode { kDone = 0, kBadInput = 1, kUsage = 2, kNothingBetter = 3, kInterrupted = 130 };

}  // namespace fer
