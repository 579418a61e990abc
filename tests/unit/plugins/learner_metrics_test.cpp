#include "learner-metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace fer {
namespace {

/// Each number another one, so that none can be taken for another.
LearnerStats some_stats() {
  LearnerStats stats;
  stats.classes = {{"neutral", 0.81, 0.51, 41, 12}, {"fear", 0.61, 0.01, 2, 3}};
  stats.offered = 100;
  stats.dropped = 4;
  stats.queued = 5;
  stats.refused = {{"blurred", 7}, {"small", 6}};
  stats.faces = 90;
  stats.tracklets = 30;
  stats.memory = 15;
  stats.memory_capacity = 256;
  stats.steps = 11;
  stats.loss = 0.75;
  stats.loss_x = 0.4;
  stats.loss_u = 0.3;
  stats.loss_n = 0.05;
  stats.learning_rate = 0.002;
  stats.source_version = "aaa";
  stats.serving_version = "bbb";
  stats.candidate_version = "ccc";
  stats.source_score = 0.59;
  stats.serving_score = 0.62;
  stats.candidate_score = 0.58;
  stats.source_accuracy = 0.84;
  stats.serving_accuracy = 0.85;
  stats.candidate_accuracy = 0.83;
  stats.promotions = 8;
  stats.rollbacks = 9;
  stats.kept = 10;
  stats.paused = true;
  stats.cpu_share = 0.24;
  stats.warnings = 13;
  return stats;
}

/// "name{label="value",…}" → value.
std::map<std::string, double> values_of(const Metrics& metrics) {
  std::map<std::string, double> values;
  for (const Metric& metric : metrics.all()) {
    for (const Metric::Sample& sample : metric.samples) {
      std::string key = metric.name;
      for (const auto& [name, value] : sample.labels) key += " " + name + "=" + value;
      EXPECT_TRUE(values.emplace(key, sample.value).second) << key << " is told twice";
    }
  }
  return values;
}

TEST(LearnerMetrics, HoldWhatTheLearnerTells) {
  SampleCounts counts;
  counts.frames = 500;
  counts.faces = 400;
  counts.sampled = 101;
  counts.failed = 1;
  const std::map<std::string, double> expected{
      {"fer_learn_frames_total", 500},
      {"fer_learn_faces_total", 400},
      {"fer_learn_sampled_total", 101},
      {"fer_learn_failed_total", 1},
      {"fer_learn_offered_total", 100},
      {"fer_learn_dropped_total", 4},
      {"fer_learn_queued_faces", 5},
      {"fer_learn_passed_total", 90},
      {"fer_learn_refused_total gate=blurred", 7},
      {"fer_learn_refused_total gate=small", 6},
      {"fer_learn_tracklets_total", 30},
      {"fer_learn_memory_tracklets", 15},
      {"fer_learn_memory_capacity_tracklets", 256},
      {"fer_learn_remembered_tracklets class=neutral", 12},
      {"fer_learn_remembered_tracklets class=fear", 3},
      {"fer_learn_threshold_ratio class=neutral", 0.81},
      {"fer_learn_threshold_ratio class=fear", 0.61},
      {"fer_learn_accept_ratio class=neutral", 0.51},
      {"fer_learn_accept_ratio class=fear", 0.01},
      {"fer_learn_accepted_total class=neutral", 41},
      {"fer_learn_accepted_total class=fear", 2},
      {"fer_learn_steps_total", 11},
      {"fer_learn_loss", 0.75},
      {"fer_learn_loss_labelled", 0.4},
      {"fer_learn_loss_unlabelled", 0.3},
      {"fer_learn_loss_negative", 0.05},
      {"fer_learn_rate", 0.002},
      {"fer_learn_canary_score_ratio model=source", 0.59},
      {"fer_learn_canary_score_ratio model=serving", 0.62},
      {"fer_learn_canary_score_ratio model=candidate", 0.58},
      {"fer_learn_canary_accuracy_ratio model=source", 0.84},
      {"fer_learn_canary_accuracy_ratio model=serving", 0.85},
      {"fer_learn_canary_accuracy_ratio model=candidate", 0.83},
      {"fer_learn_promotions_total", 8},
      {"fer_learn_kept_total", 10},
      {"fer_learn_rollbacks_total", 9},
      {"fer_learn_model_info source=aaa serving=bbb candidate=ccc", 1},
      {"fer_learn_paused", 1},
      {"fer_learn_cpu_ratio", 0.24},
      {"fer_learn_warnings_total", 13}};
  EXPECT_EQ(values_of(learner_metrics(some_stats(), counts)), expected);
}

TEST(LearnerMetrics, AreNamedBeforeTheLearnerHasAnythingToTell) {
  const Metrics full = learner_metrics(some_stats(), {}), empty = learner_metrics({}, {});
  ASSERT_EQ(empty.all().size(), full.all().size());
  for (std::size_t i = 0; i < full.all().size(); ++i) {
    EXPECT_EQ(empty.all()[i].name, full.all()[i].name);
    EXPECT_EQ(empty.all()[i].kind, full.all()[i].kind);
  }
}

}  // namespace
}  // namespace fer
