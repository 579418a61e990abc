// Semi-supervised training: a student learns from few labels and from what its own average, the
// teacher, says of many unlabelled faces.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "export.h"
#include "kernels/view_rules.h"
#include "learn/data/semi_data.h"
#include "learn/distributed/process_group.h"
#include "learn/run/initial_weights.h"
#include "learn/run/train_progress.h"
#include "learn/semi/methods.h"
#include "model/network_config.h"

namespace fer {

class FaceViews;

/// Settings of a run. All but `device` and `threads` must be the same where a stopped run goes on.
struct SemiConfig {
  NetworkConfig network;
  InitialWeights init;  ///< What the weights are at first.
  Method method;
  RandAugmentConfig weak = kWeakView;
  RandAugmentConfig strong;
  int steps = 3000;
  int epoch_steps = 100;  ///< Steps between two log lines, validations and checkpoints: an epoch.
  int batch = 32;         ///< Labelled rows a step, of all processes together.
  int mu = 2;             ///< Unlabelled rows for each of them.
  int weak_views = 1;     ///< Of each unlabelled row; the teacher's word is the mean over them.
  /// Steps over which the learning rate and the weights of the unlabelled losses rise to their
  /// full size; -1: a twentieth of all.
  int warmup = -1;
  double learning_rate = 0.03;  ///< Peak; then a cosine to zero.
  double weight_decay = 5e-4;   ///< On kernels only.
  double momentum = 0.9;        ///< Nesterov.
  double ema = 0.999;           ///< Decay of the teacher's weights, a step; they are what is kept.
  std::string select = "macro_recall";  ///< What best.fer is best in on valid; or "accuracy".
  bool bf16 = true;                     ///< Convolutions in bfloat16 (autocast).
  /// The stem and so many residual blocks stay what `init` says, in [0, all of them]. A step then
  /// costs what is above: it sees `cache`, which read_views() gives, so many weak and so many
  /// strong views of each face.
  int frozen_blocks = 0;
  int views = 4;
  std::shared_ptr<const FaceViews> cache = {};
  /// As compute_device() takes it. Not part of what a resumed run must share.
  std::string device = "cpu";
  int threads = 0;  ///< 0: one a core.
  std::uint64_t seed = 1;
};

FER_API void to_json(nlohmann::json& json, const SemiConfig& config);

/// Throws std::runtime_error where the network has fewer blocks than are to be frozen.
void require_frozen_blocks(const SemiConfig& config);

/// Trains the config's network. In `out`: what train() leaves there, and in the same way from each
/// epoch on to the same result after a stop at any moment. A line of the log says, besides losses
/// and validation: `thresholds`, `accept_rates` and `purities` a class (of the pseudo-label; a
/// purity is null where no true label is known), `accept_rate` and `purity` over all,
/// `pseudo_labels` (the share of each class among them), `negatives` (classes ruled out a row),
/// `negative_errors` (share of these that were the truth), `never_accepted` (classes of which no
/// row was accepted so far) and `data_share` (of the time, waiting for data). Outputs assume that
/// all classes are equally frequent, as in the labelled batches. Throws std::runtime_error for data
/// that does not fit the network, settings that differ from the checkpoint's, or a folder that
/// cannot be written. `group`: as in train(); the policies see the whole batch in every process.
FER_API TrainResult train_semi_supervised(
    const SemiData& data, const SemiConfig& config, const std::filesystem::path& out,
    const std::function<void(const TrainProgress&)>& on_progress,
    const std::function<void(const nlohmann::json& epoch)>& on_epoch, const std::atomic<bool>& stop,
    ProcessGroup* group = nullptr);

}  // namespace fer
