// run.json: what a training run was asked for, where and by which program, and what came of it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "learn/run/train_progress.h"

namespace fer {

/// Paths as run.json holds them.
nlohmann::json texts_of(const std::vector<std::filesystem::path>& paths);

class RunRecord {
 public:
  /// `asked` holds the run's own fields; command, commit, host, versions and times are added.
  RunRecord(std::filesystem::path file, nlohmann::json asked);

  /// Writes the file with "state": "running", once the run has found that it can go on: what
  /// another run left there is not to be overwritten for nothing. Further calls do nothing. Throws
  /// std::runtime_error where it cannot be written.
  void start();

  /// Writes how the run ended: "done" or "stopped", best and last epoch, and the time that all its
  /// processes took. Where there was nothing left to do, a file that is there stays as it is.
  void finish(const TrainResult& result);

 private:
  void write() const;

  const std::filesystem::path file_;
  nlohmann::json record_;
  bool started_ = false;
};

}  // namespace fer
