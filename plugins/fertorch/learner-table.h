// The statistics of ferlearn: its own counts, and its learner's.
#pragma once

#include <cstdint>
#include <map>
#include <string>

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

/// What a collector counts; all zero where the learner is here.
struct ExchangeCounts {
  guint64 collected = 0;                         ///< Pieces of evidence that passed the gates.
  guint64 sent = 0;                              ///< That reached a learner.
  std::map<std::string, std::uint64_t> thinned;  ///< Class → dropped for want of room.
  guint64 expired = 0;                           ///< Dropped for their age, or unreadable.
  guint64 waiting = 0;                           ///< In memory and on disk.
  guint64 bytes = 0;                             ///< Of messages.
  guint64 models = 0;                            ///< Taken up.
  std::map<std::string, std::uint64_t> refused_models;  ///< Reason → models.
  bool connected = false;
};

struct LearnReport {
  SampleCounts counts;
  LearnerStats learner;
  ExchangeCounts exchange = {};
};

/// For the property `stats`, the messages `fer-learning` and the metrics.
StatsTable<LearnReport> learner_table();

}  // namespace fer
