// The online learner over images in order, faster than any stream.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "learn/packed_dataset.h"
#include "stream/online_learner.h"

namespace fer {

struct AdaptProgress {
  std::size_t done = 0, all = 0;  ///< Images.
  LearnerStats stats;
};

/// Shows a learner the images of a split (all for an empty name; a missing one is an error) in the
/// file's order, two seconds apart by their clock, each person a track; images on which no face was
/// found, where others have one, count as unsure. Steps whenever the learner can, `max_steps` at
/// most (0: no limit), and judges the last candidate at the end. Returns one object a decision:
/// "image" (how many were seen), "step", "decision", "reason", "version", "score". Throws
/// Interrupted.
std::vector<nlohmann::json> adapt(OnlineLearner& learner, const PackedDataset& images,
                                  const std::string& split, int max_steps,
                                  const std::function<void(const AdaptProgress&)>& on_progress);

}  // namespace fer
