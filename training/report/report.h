// Training runs and learners as one HTML page that needs nothing from elsewhere.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/learner_report.h"
#include "report/report_text.h"
#include "report/training_report.h"

namespace fer {

/// The page: add_training_runs() with `score`, where there are runs, then add_learners(). Throws as
/// require_chart_library() does.
std::string report_page(const std::vector<RunLog>& runs, const std::vector<LearnerRun>& learners,
                        const std::string& score);

/// The page of one learner, from what it told of itself: LearnerStats as JSON, oldest first.
std::string learner_page(const std::string& name, std::vector<nlohmann::json> snapshots);

}  // namespace fer
