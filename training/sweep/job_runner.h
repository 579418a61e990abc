// Runs other programs side by side.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace fer {

struct Job {
  std::string name;
  std::vector<std::string> command;
  std::filesystem::path output;  ///< Its stdout and stderr go here, behind what stands there.
};

struct JobEvents {
  /// A job ended: its exit status; 128 + signal where a signal ended it; 127 where it could not be
  /// started.
  std::function<void(const Job& job, int status)> ended;
  /// Called several times a second: how many have ended, and the names of those at work.
  std::function<void(std::size_t done, const std::vector<std::string>& running)> tick;
};

/// Runs the jobs in order, `parallel` at a time, without a shell. Where `stop` becomes true, no
/// more are started, those at work get SIGTERM, and it waits for them to end; so it does where an
/// event throws. Returns whether all ran.
bool run_jobs(const std::vector<Job>& jobs, int parallel, const JobEvents& events,
              const std::atomic<bool>& stop);

}  // namespace fer
