// What a learner tells, as GStreamer structures.
#pragma once

#include <gst/gst.h>

#include "stream/learner_stats.h"

namespace fer {

/// What ferlearn itself counts, since it started.
struct SampleCounts {
  guint64 frames = 0;   ///< That passed.
  guint64 faces = 0;    ///< Over all frames.
  guint64 sampled = 0;  ///< Faces that were handed to the learner.
  guint64 failed = 0;   ///< Frames whose faces could not be cut out.
};

/// The property `stats`, and with `name` the report that is posted as a message.
GstStructure* learner_structure(const char* name, const LearnerStats& stats,
                                const SampleCounts& counts);

}  // namespace fer
