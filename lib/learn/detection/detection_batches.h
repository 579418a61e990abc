// Batches of random views for training a face detector, made ahead by threads of their own.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "export.h"
#include "learn/detection/detection_augment.h"
#include "learn/detection/detection_dataset.h"
#include "learn/detection/detection_targets.h"

namespace fer {

/// Draws the photos of a view.
class FER_API PhotoSampler {
 public:
  /// Photos with faces are drawn in proportion to (size of their source)^-balance, so that a large
  /// and uniform collection does not fill the batches; `negatives` is the share of draws that go
  /// to photos without a sure face, those among them that misled a teacher three times as often.
  PhotoSampler(const DetectionDataset& data, std::vector<std::size_t> photos, double balance,
               double negatives);

  std::size_t draw(Random& random) const;

 private:
  std::vector<std::size_t> photos_;
  std::vector<double> cumulated_;  ///< Shares of all draws up to each photo.
};

struct DetectionBatch {
  torch::Tensor images;   ///< N x 1 x side x side, 0 to 255.
  torch::Tensor targets;  ///< N x cells x kTargetValues.
};

/// The batches of one epoch, the same for the same seed and epoch.
class FER_API DetectionBatches {
 public:
  struct Settings {
    DetectionAugmentConfig augment;
    TargetConfig targets;
    int side = 320, batch = 32, steps = 1, workers = 1;
    std::uint64_t seed = 1;
    torch::TensorOptions memory = {};  ///< Where they are made: host_memory().
  };

  /// What is handed in by reference must outlive it.
  DetectionBatches(const DetectionDataset& data, const PhotoSampler& sampler,
                   const Settings& settings, int epoch);
  ~DetectionBatches();

  /// The next batch; nullopt after the last.
  std::optional<DetectionBatch> next();

 private:
  void start();
  void fill(const DetectionBatch& batch, int step, int first, int end) const;

  const DetectionDataset& data_;
  const PhotoSampler& sampler_;
  const Settings settings_;
  const int epoch_;
  int started_ = 0;
  DetectionBatch next_;
  std::vector<std::future<void>> work_;
};

}  // namespace fer
