// What a learner tells, as metrics.
#pragma once

#include "learner-structures.h"
#include "metrics.h"

namespace fer {

/// The numbers of learner_structure().
Metrics learner_metrics(const LearnerStats& stats, const SampleCounts& counts);

}  // namespace fer
