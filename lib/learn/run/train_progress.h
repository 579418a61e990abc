// What a training run says while it works and when it ends.
#pragma once

#include <nlohmann/json.hpp>

namespace fer {

/// Where a run stands; handed to the progress callback every few steps.
struct TrainProgress {
  int epoch = 0;  ///< From 0.
  int step = 0, steps = 0;
  double loss = 0;  ///< Running mean of this epoch.
  double images_per_second = 0;
  double seconds_left = 0;  ///< Of the whole run.
};

struct TrainResult {
  nlohmann::json best;  ///< The log entry of the epoch that was best on validation.
  nlohmann::json last;
  bool stopped = false;  ///< By the flag, before its end.
  double seconds = 0;    ///< Spent on the run, by earlier processes too.
};

}  // namespace fer
