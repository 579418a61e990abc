// Labelled samples, and batches of augmented views of them, prefetched on threads of their own.
#pragma once

#include <torch/types.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "learn/augment/augment.h"
#include "learn/data/packed_dataset.h"
#include "learn/data/prefetcher.h"
#include "learn/distributed/batch_part.h"

namespace fer {

/// A row of a dataset and its target: a distribution over the classes.
struct Sample {
  std::size_t row = 0;
  std::vector<float> target;
};

/// The likeliest class of a sample's target.
inline std::size_t majority(const Sample& sample) {
  return static_cast<std::size_t>(std::max_element(sample.target.begin(), sample.target.end()) -
                                  sample.target.begin());
}

/// The rows of a split to train on. Left out are duplicates, and rows that have neither a majority
/// label nor enough votes. A class with fewer than `min_votes` votes counts as a slip: it gets no
/// share of the target.
std::vector<Sample> labelled_samples(const PackedDataset& data, const std::string& split,
                                     int min_votes);

/// Mean and standard deviation of pixels in [0, 1], by which a model's input is normalised.
struct PixelStats {
  float mean = 0.5f, stddev = 0.25f;
};

/// Accumulates pixels for PixelStats.
class PixelSums {
 public:
  void add(std::span<const std::uint8_t> pixels);
  /// Mean and standard deviation of pixels in [0, 1].
  PixelStats stats() const;

 private:
  double sum_ = 0, squares_ = 0, n_ = 0;
};

/// Mean and standard deviation of the samples' pixels in [0, 1].
PixelStats pixel_stats(const PackedDataset& data, const std::vector<Sample>& samples);

/// Turns pixels in [0, 1] into a network's input, in place.
inline void normalise(std::span<float> pixels, PixelStats stats) {
  for (float& value : pixels) value = (value - stats.mean) / stats.stddev;
}

/// The pixels of the i-th of N images, fp32 and contiguous.
inline std::span<float> image_at(torch::Tensor& images, std::int64_t i) {
  const auto pixels = images.numel() / images.size(0);
  return {images.data_ptr<float>() + i * pixels, static_cast<std::size_t>(pixels)};
}

struct Batch {
  torch::Tensor images;   ///< N x C x S x S, normalised, fp32.
  torch::Tensor targets;  ///< N x K, rows sum to 1, fp32.

  /// A copy on the device. Returns before the copy is done.
  Batch to(torch::Device device) const;
};

class ResidentAugment;

/// The batches of one epoch, in order. Seed and epoch decide which rows they have and how each row
/// is augmented.
class EpochBatches {
 public:
  /// `batch`: rows of all processes; an incomplete last batch is dropped. `balance`: see
  /// TrainConfig. `part`: the rows of each batch that this process makes. `device`: where the
  /// trainer will copy them. `resident`: the faces on that device, if they lie there.
  EpochBatches(const PackedDataset& data, const std::vector<Sample>& samples, PixelStats stats,
               const AugmentConfig& augment, int batch, double balance, std::uint64_t seed,
               int epoch, BatchPart part = {}, torch::Device device = torch::kCPU,
               const ResidentAugment* resident = nullptr);

  int size() const { return static_cast<int>(order_.size()) / batch_; }
  /// The next batch; nullopt after the last.
  std::optional<Batch> next();

 private:
  struct Made;  ///< Targets, and the views that become images.
  std::shared_ptr<Made> make(int index) const;

  const PackedDataset& data_;
  const std::vector<Sample>& samples_;
  const PixelStats stats_;
  const AugmentConfig augment_;
  const int batch_;
  const std::uint64_t seed_;
  const int epoch_;
  const BatchPart part_;
  std::vector<std::size_t> order_;
  const torch::TensorOptions memory_;
  const ResidentAugment* const resident_;
  int drawn_ = 0;
  Prefetcher<std::shared_ptr<Made>> prefetcher_;
};

/// Each class's share of the rows that EpochBatches draws with this balance.
std::vector<float> class_shares(const std::vector<Sample>& samples, double balance);

/// The rows without augmentation, normalised: N x C x S x S, fp32.
torch::Tensor plain_images(const PackedDataset& data, std::span<const std::size_t> rows,
                           PixelStats stats);
/// The same for crops from anywhere: planar, channels x side x side.
torch::Tensor plain_images(const std::vector<std::span<const std::uint8_t>>& crops, int channels,
                           int side, PixelStats stats);

}  // namespace fer
