// Training of the project's own face detector from photos and a teacher's boxes.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "export.h"
#include "learn/detection/detection_augment.h"
#include "learn/detection/detection_dataset.h"
#include "learn/detection/detection_metrics.h"
#include "learn/detection/detection_targets.h"
#include "learn/run/train_progress.h"
#include "network/detector_config.h"

namespace fer {

struct DetectorFile;

/// Settings of a run. What a resumed run must share with the one it goes on from is written to its
/// checkpoint and compared.
struct DetectionTrainConfig {
  DetectorNetConfig network;
  /// Null: weights drawn by the seed. Else those to start from, of a network as `network`. Its
  /// batch norms get the statistics of the run's first views, so that it still computes the same.
  std::shared_ptr<const DetectorFile> init;
  DetectionAugmentConfig augment;
  TargetConfig targets;
  int epochs = 200;
  int views = 0;  ///< Views an epoch; 0: as many as there are photos to train on.
  int batch = 32;
  int side = 320;               ///< Of a view; a multiple of 32.
  double learning_rate = 2e-3;  ///< Peak of AdamW; warm-up over two epochs, then cosine to zero.
  double weight_decay = 0.02;   ///< On kernels only.
  double ema = 0.999;           ///< Decay of the averaged weights, a step; they are what is kept.
  double box_weight = 2;        ///< Of the boxes' loss …
  double points_weight = 1;     ///< … and of the landmarks', next to the scores'.
  double balance = 0.5;         ///< See PhotoSampler.
  double negatives = 0.25;      ///< Share of photos without faces.
  bool bf16 = true;             ///< Convolutions in bfloat16 (autocast).
  /// As compute_device() takes it. Not part of what a resumed run must share.
  std::string device = "cpu";
  int threads = 0;  ///< 0: one a core.
  std::uint64_t seed = 1;

  /// Throws std::runtime_error that names the setting and its range.
  FER_API void check() const;
};

FER_API void to_json(nlohmann::json& json, const DetectionTrainConfig& config);

/// Faces below this height, in pixels of the photo, do not count when a run is watched.
inline constexpr double kWatchedFace = 16;
/// False alarms a photo without faces, at which the log tells the recall.
inline constexpr double kWatchedFalseAlarms = 0.1;

/// The log entry of an epoch of a detector, with types.
struct DetectorEpoch {
  int epoch = 0;  ///< From 0.
  double loss = 0;
  double iou = 0;                ///< Mean overlap of boxes with their targets, in training.
  double average_precision = 0;  ///< On the validation photos, in [0, 1] …
  double recall = 0;             ///< … and the recall at kWatchedFalseAlarms.
};
/// Throws nlohmann::json::exception where a figure is missing.
FER_API void from_json(const nlohmann::json& entry, DetectorEpoch& epoch);

/// Trains on split `train` and watches split `valid`, whose whole photos the network sees. In
/// `out`: `last.fer`, `best.fer` (by average precision), `log.jsonl` (one object an epoch) and
/// `checkpoint`, from which a run that was stopped at any moment goes on to the same result (the
/// current epoch starts again). `stop` may be set from a signal handler. Throws std::runtime_error
/// for unusable data, settings that differ from the checkpoint's, or a folder that cannot be
/// written.
FER_API TrainResult train_detector(const DetectionDataset& data, const DetectionTrainConfig& config,
                                   const std::filesystem::path& out,
                                   const std::function<void(const TrainProgress&)>& on_progress,
                                   const std::function<void(const nlohmann::json&)>& on_epoch,
                                   const std::atomic<bool>& stop);

/// What the detector in a weights file finds in photos of a dataset, against the dataset's faces.
/// `min_height` as in DetectionScore.
FER_API DetectionScore score_detector(const std::filesystem::path& weights,
                                      const DetectionDataset& data,
                                      const std::vector<std::size_t>& photos, double min_height);

}  // namespace fer
