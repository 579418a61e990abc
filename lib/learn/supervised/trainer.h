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

/// Settings of a run. A checkpoint keeps them: to resume a run, all but `device` and `threads` must
/// be the same.
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
  double ema = 0.999;          ///< Decay of the averaged weights per step; they are saved.
  /// Progressive resizing (Howard 2018; Tan & Le 2021): in this share of the epochs, the first
  /// ones, images are shrunk to `early_side` of their side, at the cost of its square; 0: off.
  double early_epochs = 0;
  double early_side = 0.75;
  double mixup = 0;       ///< Beta(α, α) of mixup (Zhang et al. 2018); 0: off.
  double balance = 0.25;  ///< Rows are drawn in proportion to (class share)^-balance; 0: all alike.
  int min_votes = 2;      ///< See labelled_samples().
  double distill = 0.7;   ///< Share of the teachers' probabilities in the target.
  std::vector<std::filesystem::path> teachers;  ///< Model files; their mean probability teaches.
  bool bf16 = true;  ///< Convolutions in bfloat16 (autocast); weights and statistics stay fp32.
  /// As compute_device() takes it. Not part of what a resumed run must share.
  std::string device = "cpu";
  int threads = 0;  ///< 0: one a core.
  std::uint64_t seed = 1;
};

FER_API void to_json(nlohmann::json& json, const AugmentConfig& config);
FER_API void to_json(nlohmann::json& json, const TrainConfig& config);

/// Trains the config's network on split `train` and validates on split `valid`; both without
/// duplicates. Writes to `out`: `last.fer`, `best.fer` (by accuracy on `valid`), `log.jsonl` (one
/// object per epoch) and `checkpoint`. A call with the same `out` resumes from the checkpoint, at
/// the epoch that was not finished, and comes to the same result. `stop` may be set from a signal
/// handler. Throws std::runtime_error for unusable data, for settings other than the checkpoint's,
/// and for a folder that cannot be written.
///
/// With a `group`, all its processes call this with the same data and settings. Each works on its
/// part of every batch; the result is that of one process, but for rounding. Only the first writes
/// to `out` and calls back. Where one stops, all stop after the same step. It also throws
/// std::runtime_error where a process has other data or settings, or has gone.
FER_API TrainResult train(const PackedDataset& data, const TrainConfig& config,
                          const std::filesystem::path& out,
                          const std::function<void(const TrainProgress&)>& on_progress,
                          const std::function<void(const nlohmann::json& epoch)>& on_epoch,
                          const std::atomic<bool>& stop, ProcessGroup* group = nullptr);

}  // namespace fer
