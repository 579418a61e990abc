// Several processes that train together, as the environment asks for them.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include "learn/distributed/process_group.h"
#include "learn/run/train_progress.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"

namespace fer {

/// Of one command: whether it is alone.
class Processes {
 public:
  /// --peer-timeout.
  void add_to(CLI::App& command) {
    command
        .add_option("--peer-timeout", patience_,
                    "Seconds to wait for the other processes, where the environment (RANK, "
                    "WORLD_SIZE, MASTER_ADDR, MASTER_PORT) says that several train together")
        ->check(CLI::Range(1, 86400))
        ->capture_default_str();
  }

  /// Meets the others, where there are any, to compute on `device`, as device_of() takes it. From
  /// here on all but the first are silent, but for warnings and errors. Throws what
  /// distributed_env(), device_of() and ProcessGroup throw.
  void join(const std::string& device) {
    const auto env = distributed_env();
    if (!env) return;
    group_ = std::make_unique<ProcessGroup>(*env, std::chrono::seconds(patience_),
                                            device_of(*env, device));
    if (!writes()) Progress::silence();
  }

  /// nullptr where this process is alone.
  ProcessGroup* group() const { return group_.get(); }
  int count() const { return group_ ? group_->size() : 1; }
  /// True for the process that writes files and talks to the user.
  bool writes() const { return !group_ || group_->writes(); }

 private:
  int patience_ = 300;
  std::unique_ptr<ProcessGroup> group_;
};

}  // namespace fer
