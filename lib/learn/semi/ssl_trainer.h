// Semi-supervised training: a student learns from few labels, and from pseudo-labels that its own
// moving average, the teacher, gives to many unlabelled faces.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "export.h"
#include "kernels/view_rules.h"
#include "learn/data/ssl_data.h"
#include "learn/distributed/process_group.h"
#include "learn/run/initial_weights.h"
#include "learn/run/train_progress.h"
#include "learn/semi/methods.h"
#include "model/network_config.h"

namespace fer {

class FeatureViews;

/// Settings of a run. To resume one, all but `device` and `threads` must be the same.
struct SslConfig {
  NetworkConfig network;
  InitialWeights init;  ///< What the weights are at first.
  Method method;
  RandAugmentConfig weak = kWeakView;
  RandAugmentConfig strong;
  int steps = 3000;
  int epoch_steps = 100;  ///< Steps between two log lines, validations and checkpoints: an epoch.
  int batch = 32;         ///< Labelled rows a step, of all processes together.
  int mu = 2;             ///< Unlabelled rows for each labelled one.
  int weak_views = 1;     ///< Weak views of each; the teacher's probabilities are their mean.
  /// Steps in which the learning rate and the weights of the unlabelled losses rise to their full
  /// values; -1: a twentieth of `steps`.
  int warmup = -1;
  double learning_rate = 0.03;  ///< Peak; then a cosine to zero.
  double weight_decay = 5e-4;   ///< On kernels only.
  double momentum = 0.9;        ///< Nesterov.
  double ema = 0.999;           ///< Decay of the teacher's weights per step; they are saved.
  std::string select = "macro_recall";  ///< Score on valid that chooses best.fer; or "accuracy".
  bool bf16 = true;                     ///< Convolutions in bfloat16 (autocast).
  /// Residual blocks that keep the weights of `init`, together with the stem; 0: all layers learn.
  /// A step runs the other blocks only: it reads the maps of each face from `features`.
  int frozen_blocks = 0;
  std::shared_ptr<const FeatureViews> features = {};
  double drop_channels = 0.5;  ///< What `features` were made with.
  /// True: what is above the frozen blocks is new (model/light_head.h), and only they come from
  /// `init`.
  bool light_head = false;
  /// As compute_device() takes it. Not part of what a resumed run must share.
  std::string device = "cpu";
  int threads = 0;  ///< 0: one a core.
  std::uint64_t seed = 1;
};

FER_API void to_json(nlohmann::json& json, const SslConfig& config);

/// Throws std::runtime_error where the network has fewer blocks than are to be frozen.
void require_frozen_blocks(const SslConfig& config);

/// Trains the config's network. Writes the files of train() to `out`, and resumes as train() does.
/// The model's prior is uniform: labelled batches have as many rows of each class.
///
/// A line of the log holds losses, validation, and
/// - `thresholds`, `accept_rates`, `purities`: per class of the pseudo-label; a purity is null
///   where no true label is known,
/// - `accept_rate`, `purity`: over all classes,
/// - `pseudo_labels`: the share of each class among them,
/// - `negatives`: classes ruled out per row, and `negative_errors`: the share of these that were
///   right,
/// - `never_accepted`: classes of which no row was accepted so far,
/// - `data_share`: the share of the time spent waiting for batches.
///
/// `group`: as in train(); the policies see the whole batch in every process. Throws
/// std::runtime_error for data that does not fit the network, for settings other than the
/// checkpoint's, and for a folder that cannot be written.
FER_API TrainResult train_semi_supervised(
    const SslData& data, const SslConfig& config, const std::filesystem::path& out,
    const std::function<void(const TrainProgress&)>& on_progress,
    const std::function<void(const nlohmann::json& epoch)>& on_epoch, const std::atomic<bool>& stop,
    ProcessGroup* group = nullptr);

}  // namespace fer
