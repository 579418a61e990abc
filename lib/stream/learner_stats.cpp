#include "stream/learner_stats.h"

#include <nlohmann/json.hpp>

namespace fer {

void to_json(nlohmann::json& j, const LearnerStats& s) {
  nlohmann::json classes = nlohmann::json::object();
  for (const auto& c : s.classes) {
    classes[c.label] = {{"threshold", c.threshold},
                        {"accept_rate", c.accept_rate},
                        {"accepted", c.accepted},
                        {"remembered", c.remembered}};
  }
  j = {{"classes", std::move(classes)},
       {"offered", s.offered},
       {"dropped", s.dropped},
       {"queued", s.queued},
       {"refused", s.refused},
       {"faces", s.faces},
       {"tracklets", s.tracklets},
       {"memory", s.memory},
       {"memory_capacity", s.memory_capacity},
       {"min_memory", s.min_memory},
       {"labels", s.labels},
       {"steps", s.steps},
       {"loss", s.loss},
       {"loss_x", s.loss_x},
       {"loss_u", s.loss_u},
       {"loss_n", s.loss_n},
       {"learning_rate", s.learning_rate},
       {"source_version", s.source_version},
       {"serving_version", s.serving_version},
       {"candidate_version", s.candidate_version},
       {"source_score", s.source_score},
       {"serving_score", s.serving_score},
       {"candidate_score", s.candidate_score},
       {"source_accuracy", s.source_accuracy},
       {"serving_accuracy", s.serving_accuracy},
       {"candidate_accuracy", s.candidate_accuracy},
       {"promotions", s.promotions},
       {"rollbacks", s.rollbacks},
       {"kept", s.kept},
       {"decision", s.decision},
       {"reason", s.reason},
       {"paused", s.paused},
       {"cpu_share", s.cpu_share},
       {"last_warning", s.last_warning},
       {"warnings", s.warnings}};
}

}  // namespace fer
