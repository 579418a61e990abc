#include "learner-structures.h"

#include <gtest/gtest.h>

#include "element_test.h"

namespace fer {
namespace {

using test::StructurePtr;

LearnerStats some_stats() {
  LearnerStats stats;
  stats.classes = {{"neutral", 0.8, 0.5, 40, 12}, {"fear", 0.6, 0.01, 1, 2}};
  stats.offered = 100;
  stats.dropped = 3;
  stats.refused = {{"blurred", 7}, {"small", 2}};
  stats.memory = 14;
  stats.memory_capacity = 256;
  stats.steps = 11;
  stats.loss = 0.75;
  stats.serving_version = "0123456789ab";
  stats.serving_score = 0.61;
  stats.serving_accuracy = 0.84;
  stats.decision = "kept";
  stats.reason = "0.60 is below 0.61";
  stats.paused = true;
  return stats;
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
  const StructurePtr structure(learner_structure("fer-learning", some_stats(), counts));
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
  EXPECT_EQ(dropped, 3u);
  EXPECT_EQ(steps, 11u);
  EXPECT_EQ(memory, 14);
  EXPECT_EQ(loss, 0.75);
  EXPECT_EQ(score, 0.61);
  EXPECT_EQ(accuracy, 0.84);
  EXPECT_TRUE(paused);
  EXPECT_STREQ(gst_structure_get_string(structure.get(), "serving-version"), "0123456789ab");
  EXPECT_STREQ(gst_structure_get_string(structure.get(), "decision"), "kept");
  EXPECT_STREQ(gst_structure_get_string(structure.get(), "reason"), "0.60 is below 0.61");

  EXPECT_EQ(gst_value_array_get_size(gst_structure_get_value(structure.get(), "labels")), 2u);
  EXPECT_EQ(entry(structure.get(), "thresholds", 1), 0.6);
  EXPECT_EQ(entry(structure.get(), "accept-rates", 0), 0.5);
  GstStructure* refused = nullptr;
  ASSERT_TRUE(gst_structure_get(structure.get(), "refused", GST_TYPE_STRUCTURE, &refused, nullptr));
  const StructurePtr owner(refused);
  guint64 blurred = 0;
  EXPECT_TRUE(gst_structure_get_uint64(refused, "blurred", &blurred));
  EXPECT_EQ(blurred, 7u);
}

TEST(LearnerStructures, SurviveBeingWrittenAsText) {
  const StructurePtr structure(learner_structure("fer-learn-stats", some_stats(), {}));
  gchar* text = gst_structure_to_string(structure.get());
  const StructurePtr read(gst_structure_from_string(text, nullptr));
  g_free(text);
  ASSERT_TRUE(read);
  EXPECT_TRUE(gst_structure_is_equal(structure.get(), read.get()));
}

TEST(LearnerStructures, TellOfALearnerThatHasNotBegun) {
  const StructurePtr structure(learner_structure("fer-learn-stats", {}, {}));
  EXPECT_EQ(gst_value_array_get_size(gst_structure_get_value(structure.get(), "labels")), 0u);
}

}  // namespace
}  // namespace fer
