// Supervised training from a packed dataset.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "export.h"
#include "learn/augment/augment.h"
#include "learn/data/packed_dataset.h"
#include "learn/distributed/process_group.h"
#include "learn/run/initial_weights.h"
#include "learn/run/train_progress.h"
#include "model/network_config.h"

namespace fer {

/// Settings of a run. What a resumed run must share with the one it goes on from is written to its
/// checkpoint and compared.
struct TrainConfig {
  NetworkConfig network;
  InitialWeights init;  ///< What the weights are at first.
  AugmentConfig augment;
  int epochs = 60;
  int batch = 128;             ///< Rows a step, of all processes together.
  double learning_rate = 0.1;  ///< Peak; linear warm-up over two epochs, then cosine to zero.
  /// Learning rate of a stage, relative to that of the stage above (layer-wise decay, as in BEiT:
  /// Bao et al. 2022); 1: all alike. For starts that know much already.
  double layer_decay = 1;
  double weight_decay = 5e-4;  ///< On kernels only.
  double momentum = 0.9;       ///< Nesterov.
  double ema = 0.999;          ///< Decay of the averaged weights, a step; they are what is kept.
  /// The first share of the epochs sees images shrunk to `early_side` of their side, which costs a
  /// square of that (progressive resizing: Howard 2018; Tan & Le 2021); 0: none.
  double early_epochs = 0;
  double early_side = 0.75;
  double mixup = 0;  ///< Beta(α, α) of mixup (Zhang et al. 2018); 0: off.
  double balance =
      0.25;           ///< Rows are drawn in proportion to (class share)^-balance; 0: as they are.
  int min_votes = 2;  ///< Votes that stand alone below this count are taken as slips.
  double distill = 0.7;  ///< Share of the teachers' word in the target, where there are teachers.
  std::vector<std::filesystem::path> teachers;  ///< Model files; their mean probability teaches.
  bool bf16 = true;  ///< Convolutions in bfloat16 (autocast); weights and statistics stay fp32.
  /// As compute_device() takes it. Not part of what a resumed run must share.
  std::string device = "cpu";
  int threads = 0;  ///< 0: one a core.
  std::uint64_t seed = 1;
};

FER_API void to_json(nlohmann::json& json, const AugmentConfig& config);
FER_API void to_json(nlohmann::json& json, const TrainConfig& config);

/// Trains the config's network on split `train` and watches split `valid`. In `out`: `last.fer`,
/// `best.fer` (by accuracy on `valid`), `log.jsonl` (one object an epoch) and `checkpoint`, from
/// which a run that was stopped at any moment goes on to the same result (the current epoch starts
/// again). Rows marked as duplicates are left out of both splits. `stop` may be set from a signal
/// handler. Throws std::runtime_error for unusable data, settings that differ from the
/// checkpoint's, or a folder that cannot be written.
///
/// With a `group`, all its processes call this with the same data and settings. Each works on its
/// part of every batch, and what comes out is, but for rounding, what one process alone makes of
/// the same batches. The first one alone touches `out` and calls back; a stop of one stops all
/// after the same step. Throws std::runtime_error too where a process was given something else, or
/// has gone.
FER_API TrainResult train(const PackedDataset& data, const TrainConfig& config,
                          const std::filesystem::path& out,
                          const std::function<void(const TrainProgress&)>& on_progress,
                          const std::function<void(const nlohmann::json& epoch)>& on_epoch,
                          const std::atomic<bool>& stop, ProcessGroup* group = nullptr);

}  // namespace fer
