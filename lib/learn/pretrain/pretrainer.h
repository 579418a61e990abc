// A self-supervised start: a network learns from unlabelled faces to know two views of one face
// among those of others.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "export.h"
#include "learn/augment/augment.h"
#include "learn/data/face_ref.h"
#include "learn/run/train_progress.h"
#include "model/network_config.h"

namespace fer {

/// The two views: what the same expression may look like. More of everything than where labels
/// teach, above all of light: else the histogram of grey alone would tell the faces apart.
FER_API AugmentConfig pretrain_views();

/// Settings of a run. All but `threads` must be the same where a stopped run goes on.
struct PretrainConfig {
  NetworkConfig network;
  AugmentConfig views = pretrain_views();
  std::string method = "contrast";  ///< Or "regression"; see pretrain_losses.h.
  int steps = 3000;
  int epoch_steps = 100;  ///< Steps between two log lines and checkpoints: an epoch.
  int batch = 128;        ///< Faces a step; two views of each.
  int hidden = 256;       ///< Width of the layer inside projector and predictor …
  int embedding = 128;    ///< … and of what they give.
  double temperature = 0.2;
  double learning_rate = 1e-3;  ///< Peak of AdamW; a twentieth of warm-up, then a cosine to zero.
  double weight_decay = 0.05;   ///< On kernels only.
  double ema = 0.99;            ///< Decay of the teacher's weights, a step; they are what is kept.
  bool bf16 = true;             ///< Convolutions in bfloat16 (autocast).
  /// As compute_device() takes it. Not part of what a resumed run must share.
  std::string device = "cpu";
  int threads = 0;  ///< 0: one a core.
  std::uint64_t seed = 1;
};

FER_API void to_json(nlohmann::json& json, const PretrainConfig& config);

/// Faces to learn from.
struct PretrainData {
  PackedInfo info;             ///< Shape of the crops, and where they came from.
  std::vector<FaceRef> faces;  ///< Their labels count for nothing.
  /// What a run is watched by: labelled rows of split valid of the first dataset that has some; may
  /// be empty. Labels are indices into `info.labels`.
  std::vector<FaceRef> watched;
};

/// Split train of each dataset, or all rows where there is none; rows marked as duplicates are left
/// out. Datasets must outlive the result. Throws std::runtime_error that names the dataset for
/// crops of different shapes, or nothing to learn from.
FER_API PretrainData pretrain_data(const std::vector<const PackedDataset*>& datasets);

/// Below this share of an even spread the embedding has collapsed: all faces are one to it.
inline constexpr double kCollapsedSpread = 0.1;
/// Neighbours that are asked for a watched face's label.
inline constexpr int kWatchedNeighbours = 20;

/// Trains the config's network. In `out`: `last.fer`, a start for training without a head (see
/// read_start()), `log.jsonl` (one object an epoch) and `checkpoint`, from which a run that was
/// stopped at any moment goes on to the same result. No model is chosen: that would take labels. A
/// line of the log says `loss`, `spread` (see spread(), of the student's embeddings over a batch, a
/// mean over the epoch), `dimensions` (see filled_dimensions(), likewise), `collapsed` (whether
/// `spread` is below kCollapsedSpread), `data_share` (of the time, waiting for data), and where
/// faces are watched `knn_accuracy` and `knn_macro_recall`: how often each watched face's nearest
/// other watched faces by the teacher's features name its label (for the macro recall, votes count
/// by the rarity of their class).
///
/// Throws std::runtime_error for data that does not fit the network, settings that differ from the
/// checkpoint's, or a folder that cannot be written.
FER_API TrainResult pretrain(const PretrainData& data, const PretrainConfig& config,
                             const std::filesystem::path& out,
                             const std::function<void(const TrainProgress&)>& on_progress,
                             const std::function<void(const nlohmann::json& epoch)>& on_epoch,
                             const std::atomic<bool>& stop);

}  // namespace fer
