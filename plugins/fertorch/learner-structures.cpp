#include "learner-structures.h"

#include <string>

namespace fer {
namespace {

/// Sets a field to an array, one entry a class.
template <typename Set>
void set_array(GstStructure* structure, const char* field, GType type,
               const std::vector<LearnerStats::PerClass>& classes, Set set) {
  GValue array = G_VALUE_INIT;
  gst_value_array_init(&array, static_cast<guint>(classes.size()));
  for (const LearnerStats::PerClass& one : classes) {
    GValue entry = G_VALUE_INIT;
    g_value_init(&entry, type);
    set(&entry, one);
    gst_value_array_append_and_take_value(&array, &entry);
  }
  gst_structure_take_value(structure, field, &array);
}

void set_classes(GstStructure* structure, const std::vector<LearnerStats::PerClass>& classes) {
  using PerClass = LearnerStats::PerClass;
  set_array(structure, "labels", G_TYPE_STRING, classes, [](GValue* value, const PerClass& one) {
    g_value_set_string(value, one.label.c_str());
  });
  set_array(structure, "thresholds", G_TYPE_DOUBLE, classes,
            [](GValue* value, const PerClass& one) { g_value_set_double(value, one.threshold); });
  set_array(structure, "accept-rates", G_TYPE_DOUBLE, classes,
            [](GValue* value, const PerClass& one) { g_value_set_double(value, one.accept_rate); });
  set_array(structure, "accepted", G_TYPE_UINT64, classes,
            [](GValue* value, const PerClass& one) { g_value_set_uint64(value, one.accepted); });
  set_array(structure, "remembered", G_TYPE_INT, classes,
            [](GValue* value, const PerClass& one) { g_value_set_int(value, one.remembered); });
}

/// Gate → count, in a structure of its own.
void set_refused(GstStructure* structure, const std::map<std::string, std::uint64_t>& refused) {
  GstStructure* counts = gst_structure_new_empty("refused");
  for (const auto& [gate, count] : refused) {
    gst_structure_set(counts, gate.c_str(), G_TYPE_UINT64, static_cast<guint64>(count), nullptr);
  }
  gst_structure_set(structure, "refused", GST_TYPE_STRUCTURE, counts, nullptr);
  gst_structure_free(counts);
}

}  // namespace

GstStructure* learner_structure(const char* name, const LearnerStats& stats,
                                const SampleCounts& counts) {
  GstStructure* structure = gst_structure_new(
      name, "frames", G_TYPE_UINT64, counts.frames, "faces", G_TYPE_UINT64, counts.faces, "sampled",
      G_TYPE_UINT64, counts.sampled, "failed", G_TYPE_UINT64, counts.failed, "offered",
      G_TYPE_UINT64, static_cast<guint64>(stats.offered), "dropped", G_TYPE_UINT64,
      static_cast<guint64>(stats.dropped), "queued", G_TYPE_UINT64,
      static_cast<guint64>(stats.queued), "passed", G_TYPE_UINT64,
      static_cast<guint64>(stats.faces), "tracklets", G_TYPE_UINT64,
      static_cast<guint64>(stats.tracklets), "memory", G_TYPE_INT, stats.memory, "memory-capacity",
      G_TYPE_INT, stats.memory_capacity, "steps", G_TYPE_UINT64, static_cast<guint64>(stats.steps),
      "loss", G_TYPE_DOUBLE, stats.loss, "loss-labelled", G_TYPE_DOUBLE, stats.loss_x,
      "loss-unlabelled", G_TYPE_DOUBLE, stats.loss_u, "loss-negative", G_TYPE_DOUBLE, stats.loss_n,
      "learning-rate", G_TYPE_DOUBLE, stats.learning_rate, nullptr);
  gst_structure_set(structure, "source-version", G_TYPE_STRING, stats.source_version.c_str(),
                    "serving-version", G_TYPE_STRING, stats.serving_version.c_str(),
                    "candidate-version", G_TYPE_STRING, stats.candidate_version.c_str(),
                    "source-score", G_TYPE_DOUBLE, stats.source_score, "serving-score",
                    G_TYPE_DOUBLE, stats.serving_score, "candidate-score", G_TYPE_DOUBLE,
                    stats.candidate_score, "source-accuracy", G_TYPE_DOUBLE, stats.source_accuracy,
                    "serving-accuracy", G_TYPE_DOUBLE, stats.serving_accuracy, "candidate-accuracy",
                    G_TYPE_DOUBLE, stats.candidate_accuracy, "promotions", G_TYPE_UINT64,
                    static_cast<guint64>(stats.promotions), "rollbacks", G_TYPE_UINT64,
                    static_cast<guint64>(stats.rollbacks), "kept", G_TYPE_UINT64,
                    static_cast<guint64>(stats.kept), "decision", G_TYPE_STRING,
                    stats.decision.c_str(), "reason", G_TYPE_STRING, stats.reason.c_str(), "paused",
                    G_TYPE_BOOLEAN, stats.paused, "cpu-share", G_TYPE_DOUBLE, stats.cpu_share,
                    "warnings", G_TYPE_UINT64, static_cast<guint64>(stats.warnings), "last-warning",
                    G_TYPE_STRING, stats.last_warning.c_str(), nullptr);
  set_classes(structure, stats.classes);
  set_refused(structure, stats.refused);
  return structure;
}

}  // namespace fer
