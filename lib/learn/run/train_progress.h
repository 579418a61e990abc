// What a training run tells its caller while it works and when it ends.
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

/// The log entry of an epoch of an expression model, with types.
struct ExpressionEpoch {
  int epoch = 0;  ///< From 0.
  int step = 0;   ///< Steps of the run so far; 0 where a run counts epochs alone.
  double loss = 0;
  double accuracy = 0, macro_recall = 0;  ///< On the validation data, in [0, 1].
};
/// Throws nlohmann::json::exception where a figure is missing.
inline void from_json(const nlohmann::json& entry, ExpressionEpoch& e) {
  entry.at("epoch").get_to(e.epoch);
  e.step = entry.value("step", 0);
  entry.at("loss").get_to(e.loss);
  entry.at("accuracy").get_to(e.accuracy);
  entry.at("macro_recall").get_to(e.macro_recall);
}

/// How a run ended. The entries are those of log.jsonl; null where there is none.
struct TrainResult {
  nlohmann::json best;  ///< The log entry of the epoch that was best on validation.
  nlohmann::json last;
  bool stopped = false;  ///< By the flag, before its end.
  double seconds = 0;    ///< Time of the whole run, that before a resume included.
};

}  // namespace fer
