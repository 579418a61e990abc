// Batches of random views, made ahead of the trainer on threads of their own.
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

/// A labelled row and the distribution over classes that it teaches.
struct Sample {
  std::size_t row = 0;
  std::vector<float> target;
};

/// The class that a sample teaches most.
inline std::size_t majority(const Sample& sample) {
  return static_cast<std::size_t>(std::max_element(sample.target.begin(), sample.target.end()) -
                                  sample.target.begin());
}

/// The rows of a split that can teach: no duplicate, and either a majority label or a tie with
/// enough votes. Votes below `min_votes` are taken as slips and dropped before the rest is
/// normalised.
std::vector<Sample> labelled_samples(const PackedDataset& data, const std::string& split,
                                     int min_votes);

/// Normalisation of a model's input.
struct PixelStats {
  float mean = 0.5f, stddev = 0.25f;
};

/// Sums over pixels, on the way to their statistics.
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

/// Pixels in [0, 1] become a network's input.
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

  /// The same there. Does not wait for the copy.
  Batch to(torch::Device device) const;
};

class ResidentAugment;

/// The batches of one epoch in order. Which rows, and which view of each, follow from seed and
/// epoch alone.
class EpochBatches {
 public:
  /// `balance`: see TrainConfig. The last, short batch is left out. `part`: the rows of each batch
  /// that next() makes. `device`: where they will be wanted; they are made in memory, but for the
  /// images where they are `resident`'s.
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

/// Share of each class among the draws of EpochBatches with this balance.
std::vector<float> class_shares(const std::vector<Sample>& samples, double balance);

/// Unchanged views of rows, normalised: N x C x S x S, fp32.
torch::Tensor plain_images(const PackedDataset& data, std::span<const std::size_t> rows,
                           PixelStats stats);
/// The same of crops from anywhere, planar, channels x side x side each.
torch::Tensor plain_images(const std::vector<std::span<const std::uint8_t>>& crops, int channels,
                           int side, PixelStats stats);

}  // namespace fer
