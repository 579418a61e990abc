#include "report/report.h"

#include <utility>

namespace fer {

std::string report_page(const std::vector<RunLog>& runs, const std::vector<LearnerRun>& learners,
                        const std::string& score) {
  Page page(learners.empty() ? "Training runs"
            : runs.empty()   ? "Learners"
                             : "Training runs and learners");
  if (!runs.empty()) add_training_runs(page, runs, score);
  if (!learners.empty()) add_learners(page, learners);
  return page.html();
}

std::string learner_page(const std::string& name, std::vector<nlohmann::json> snapshots) {
  Page page(name);
  add_learners(page, {{name, std::move(snapshots)}});
  return page.html();
}

}  // namespace fer
