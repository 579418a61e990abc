// Training runs as a part of a report.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/page/page.h"

namespace fer {

/// What a run's folder tells.
struct RunLog {
  std::string name;  ///< Of the folder.
  /// The lines of log.jsonl, one object an epoch. A last line that is cut short is left out: the
  /// run goes on or was killed.
  std::vector<nlohmann::json> epochs;
  nlohmann::json settings;  ///< run.json; null where there is none.
};

/// Throws std::runtime_error, naming file and line, where the folder holds no log, or one that is
/// damaged.
RunLog read_run(const std::filesystem::path& folder);

/// Adds a table of the runs, their validation curves over each other, and each run's losses and, a
/// class, recall and whatever else its log tells of classes (thresholds, accept rates, purity),
/// with the confusion matrix of its best epoch where the log holds one; of a pretraining run its
/// embedding's spread and what neighbours say. Best is the epoch with the highest `score`,
/// "accuracy" or "macro_recall".
void add_training_runs(Page& page, const std::vector<RunLog>& runs, const std::string& score);

}  // namespace fer
