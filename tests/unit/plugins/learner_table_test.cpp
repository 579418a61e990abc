#include "learner-table.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "element_test.h"

namespace fer {
namespace {

using test::StructurePtr;

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
  stats.decision = "kept";
  stats.reason = "0.60 is below 0.61";
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
  ExchangeCounts exchange;
  exchange.collected = 60;
  exchange.sent = 50;
  exchange.thinned = {{"neutral", 3}};
  exchange.expired = 2;
  exchange.waiting = 5;
  exchange.bytes = 445000;
  exchange.models = 4;
  exchange.refused_models = {{"canary", 1}};
  exchange.connected = true;
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
      {"fer_learn_warnings_total", 13},
      {"fer_learn_collected_total", 60},
      {"fer_learn_sent_total", 50},
      {"fer_learn_thinned_total class=neutral", 3},
      {"fer_learn_expired_total", 2},
      {"fer_learn_waiting_evidence", 5},
      {"fer_learn_sent_bytes_total", 445000},
      {"fer_learn_models_total", 4},
      {"fer_learn_refused_models_total reason=canary", 1},
      {"fer_learn_connected", 1}};
  EXPECT_EQ(values_of(learner_table().metrics({counts, some_stats(), exchange})), expected);
}

TEST(LearnerMetrics, AreNamedBeforeTheLearnerHasAnythingToTell) {
  const Metrics full = learner_table().metrics({{}, some_stats()});
  const Metrics empty = learner_table().metrics({});
  ASSERT_EQ(empty.all().size(), full.all().size());
  for (std::size_t i = 0; i < full.all().size(); ++i) {
    EXPECT_EQ(empty.all()[i].name, full.all()[i].name);
    EXPECT_EQ(empty.all()[i].kind, full.all()[i].kind);
  }
}

TEST(LearnerMetrics, TellOfACandidateOnlyWhereThereWasOne) {
  LearnerStats stats = some_stats();
  stats.candidate_version.clear();
  const auto values = values_of(learner_table().metrics({{}, stats}));
  EXPECT_EQ(values.count("fer_learn_canary_score_ratio model=candidate"), 0u);
  EXPECT_EQ(values.count("fer_learn_canary_accuracy_ratio model=candidate"), 0u);
  EXPECT_EQ(values.count("fer_learn_canary_score_ratio model=serving"), 1u);
}

/// Entry `index` of an array of doubles.
double entry(const GstStructure* structure, const char* field, guint index) {
  const GValue* array = gst_structure_get_value(structure, field);
  return g_value_get_double(gst_value_array_get_value(array, index));
}

TEST(LearnerStructures, HoldWhatTheLearnerTells) {
  SampleCounts counts;
  counts.frames = 500;
  counts.sampled = 100;
  const StructurePtr structure(learner_table().structure({counts, some_stats()}, "fer-learning"));
  EXPECT_STREQ(gst_structure_get_name(structure.get()), "fer-learning");
  guint64 frames = 0, sampled = 0, dropped = 0, steps = 0;
  gint memory = 0;
  gdouble loss = 0, score = 0, accuracy = 0;
  gboolean paused = FALSE;
  ASSERT_TRUE(gst_structure_get(
      structure.get(), "frames", G_TYPE_UINT64, &frames, "sampled", G_TYPE_UINT64, &sampled,
      "dropped", G_TYPE_UINT64, &dropped, "steps", G_TYPE_UINT64, &steps, "memory", G_TYPE_INT,
      &memory, "loss", G_TYPE_DOUBLE, &loss, "serving-score", G_TYPE_DOUBLE, &score,
      "serving-accuracy", G_TYPE_DOUBLE, &accuracy, "paused", G_TYPE_BOOLEAN, &paused, nullptr));
  EXPECT_EQ(frames, 500u);
  EXPECT_EQ(sampled, 100u);
  EXPECT_EQ(dropped, 4u);
  EXPECT_EQ(steps, 11u);
  EXPECT_EQ(memory, 15);
  EXPECT_EQ(loss, 0.75);
  EXPECT_EQ(score, 0.62);
  EXPECT_EQ(accuracy, 0.85);
  EXPECT_TRUE(paused);
  EXPECT_STREQ(gst_structure_get_string(structure.get(), "serving-version"), "bbb");
  EXPECT_STREQ(gst_structure_get_string(structure.get(), "decision"), "kept");
  EXPECT_STREQ(gst_structure_get_string(structure.get(), "reason"), "0.60 is below 0.61");

  EXPECT_EQ(gst_value_array_get_size(gst_structure_get_value(structure.get(), "labels")), 2u);
  EXPECT_EQ(entry(structure.get(), "thresholds", 1), 0.61);
  EXPECT_EQ(entry(structure.get(), "accept-rates", 0), 0.51);
  GstStructure* refused = nullptr;
  ASSERT_TRUE(gst_structure_get(structure.get(), "refused", GST_TYPE_STRUCTURE, &refused, nullptr));
  const StructurePtr owner(refused);
  guint64 blurred = 0;
  EXPECT_TRUE(gst_structure_get_uint64(refused, "blurred", &blurred));
  EXPECT_EQ(blurred, 7u);
}

TEST(LearnerStructures, SurviveBeingWrittenAsText) {
  const StructurePtr structure(learner_table().structure({{}, some_stats()}));
  gchar* text = gst_structure_to_string(structure.get());
  const StructurePtr read(gst_structure_from_string(text, nullptr));
  g_free(text);
  ASSERT_TRUE(read);
  EXPECT_TRUE(gst_structure_is_equal(structure.get(), read.get()));
}

TEST(LearnerStructures, TellOfALearnerThatHasNotBegun) {
  const StructurePtr structure(learner_table().structure({}));
  EXPECT_EQ(gst_value_array_get_size(gst_structure_get_value(structure.get(), "labels")), 0u);
}

}  // namespace
}  // namespace fer
