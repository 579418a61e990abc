// What learners did, as a part of a report.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/page/page.h"

namespace fer {

/// What a learner told of itself, one object a look: LearnerStats as JSON, with "time" where that
/// is known. What an object lacks is not drawn.
struct LearnerRun {
  std::string name;
  std::vector<nlohmann::json> snapshots;  ///< Oldest first.
};

/// Whether the folder holds the log of a learner (see LearnerLog) rather than a training run's.
bool is_learner_folder(const std::filesystem::path& folder);

/// The folder's log, under its name.
LearnerRun read_learner_run(const std::filesystem::path& folder);

/// Adds a table of the learners, and of each the canary's scores over the steps with what was
/// promoted and rolled back, thresholds, accept rates and memory a class, losses, and its decisions
/// with their reasons. Snapshots that a later one takes back, as after a crash, are not drawn.
void add_learners(Page& page, const std::vector<LearnerRun>& learners);

}  // namespace fer
