// The loop that all training runs share: epochs of steps, validation, log, models and checkpoint.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "learn/run/module_run.h"
#include "learn/run/train_progress.h"

namespace fer {

/// What a run learns and how well it does; each kind of training is one. For each epoch the loop
/// calls begin_epoch(), step() for every step, validate(), and save() for each model file to write.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  /// Prepares an epoch and returns its number of steps, at least 1. `epoch` counts from 0. LibTorch
  /// was seeded for it, so that a resumed run draws the same.
  virtual int begin_epoch(int epoch) = 0;
  /// Learns from one batch: loss, gradients, optimiser and ModuleRun::step(). `step` counts from 0
  /// within the epoch.
  virtual void step(int step) = 0;
  /// Mean loss of the epoch's first `steps` steps, over all processes. All of them ask together.
  virtual double mean_loss(int steps) = 0;
  /// Measures the averaged weights after an epoch of `steps` steps that took `seconds`. Returns the
  /// figures of its log entry.
  virtual nlohmann::json validate(int steps, double seconds) = 0;
  /// Writes the averaged weights to a model file. `entry`: the epoch's log entry.
  virtual void save(const std::filesystem::path& path, const nlohmann::json& entry) const = 0;
};

/// What the loop must know of a run beside its task.
struct TrainingPlan {
  int epochs = 1;
  int images_per_step = 1;      ///< Of all processes.
  std::uint64_t seed = 1;       ///< Of the run; each epoch's seed follows from it.
  const char* score = nullptr;  ///< Figure by which best.fer is chosen; nullptr: no best.fer.
};

/// What a caller hears of a run. Called by the process that writes alone.
struct TrainingHooks {
  std::function<void(const TrainProgress&)> on_progress;      ///< Every ten steps.
  std::function<void(const nlohmann::json& entry)> on_epoch;  ///< Once an epoch is kept.
};

/// Trains from the epoch at which `run` stands to the last, and keeps each epoch by
/// ModuleRun::finish_epoch(). Ends early, between two steps, where `stop` is set in any process:
/// the epoch at hand is lost then. Throws std::runtime_error where the loss is no longer finite,
/// and what the task and the hooks throw.
TrainResult run_training_loop(ModuleRun& run, TrainingTask& task, const TrainingPlan& plan,
                              const TrainingHooks& hooks, const std::atomic<bool>& stop);

}  // namespace fer
