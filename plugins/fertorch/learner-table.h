// The statistics of ferlearn: its own counts, and its learner's.
#pragma once

#include "stats-table.h"
#include "stream/learner_stats.h"

namespace fer {

/// What ferlearn itself counts, since it started.
struct SampleCounts {
  guint64 frames = 0;   ///< That passed.
  guint64 faces = 0;    ///< Over all frames.
  guint64 sampled = 0;  ///< Faces that were handed to the learner.
  guint64 failed = 0;   ///< Frames whose faces could not be cut out.
};

struct LearnReport {
  SampleCounts counts;
  LearnerStats learner;
};

/// For the property `stats`, the messages `fer-learning` and the metrics.
StatsTable<LearnReport> learner_table();

}  // namespace fer
