// Self-supervised pretraining: from unlabelled faces, a network learns to match two views of the
// same face.
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

/// Augmentation of the two views. It is stronger than for labelled training, in lighting above all:
/// otherwise the histogram of grey values would be enough to match two views.
FER_API AugmentConfig pretrain_views();

/// Settings of a run. To resume one, all but `device` and `threads` must be the same.
struct PretrainConfig {
  NetworkConfig network;
  AugmentConfig views = pretrain_views();
  std::string method = "contrast";  ///< Or "regression"; see pretrain_losses.h.
  int steps = 3000;
  int epoch_steps = 100;  ///< Steps between two log lines and checkpoints: an epoch.
  int batch = 128;        ///< Faces a step; two views of each.
  int hidden = 256;       ///< Width of the layer inside projector and predictor.
  int embedding = 128;    ///< Width of their outputs.
  double temperature = 0.2;
  double learning_rate = 1e-3;  ///< Peak of AdamW; a twentieth of warm-up, then a cosine to zero.
  double weight_decay = 0.05;   ///< On kernels only.
  double ema = 0.99;            ///< Decay of the teacher's weights per step; they are saved.
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
  std::vector<FaceRef> faces;  ///< To learn from; their labels are not used.
  /// Faces for the kNN probe: labelled rows of split valid of the first dataset that has some; may
  /// be empty. Labels are indices into `info.labels`.
  std::vector<FaceRef> watched;
};

/// Split train of each dataset, or all rows where there is none; rows marked as duplicates are left
/// out. Datasets must outlive the result. Throws std::runtime_error that names the dataset for
/// crops of different shapes, or nothing to learn from.
FER_API PretrainData pretrain_data(const std::vector<const PackedDataset*>& datasets);

/// Below this spread the embedding counts as collapsed: it maps all faces to one point.
inline constexpr double kCollapsedSpread = 0.1;
/// Neighbours of a face in the kNN probe.
inline constexpr int kWatchedNeighbours = 20;

/// Trains the config's network. Writes to `out`: `last.fer` (the weights without a head, see
/// read_start()), `log.jsonl` (one object per epoch) and `checkpoint`, from which it resumes as
/// train() does. There is no best.fer, since to choose one takes labels.
///
/// A line of the log holds
/// - `loss`, `spread` and `dimensions` (see spread() and filled_dimensions(), of the student's
///   embeddings): means over the epoch,
/// - `collapsed`: whether `spread` is below kCollapsedSpread,
/// - `data_share`: the share of the time spent waiting for batches,
/// - `knn_accuracy` and `knn_macro_recall`, where there are `watched` faces: knn_probe() on the
///   teacher's features, for the macro recall with balanced votes.
///
/// Throws std::runtime_error for data that does not fit the network, for settings other than the
/// checkpoint's, and for a folder that cannot be written.
FER_API TrainResult pretrain(const PretrainData& data, const PretrainConfig& config,
                             const std::filesystem::path& out,
                             const std::function<void(const TrainProgress&)>& on_progress,
                             const std::function<void(const nlohmann::json& epoch)>& on_epoch,
                             const std::atomic<bool>& stop);

}  // namespace fer
