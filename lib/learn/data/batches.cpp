#include "learn/data/batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "learn/data/view_batch.h"
#include "learn/device/compute_device.h"

namespace fer {
namespace {

/// The number of FER+'s ten raters who must have named an expression where none has the majority.
constexpr float kEnoughVotes = 7;

/// Weight of each class in the draw: (its share)^-balance.
std::vector<double> class_weights(const std::vector<Sample>& samples, double balance) {
  std::vector<double> counts(samples.at(0).target.size());
  for (const Sample& sample : samples) ++counts[majority(sample)];
  for (double& count : counts)
    count = count > 0 ? std::pow(count / static_cast<double>(samples.size()), -balance) : 0;
  return counts;
}

}  // namespace

std::vector<Sample> labelled_samples(const PackedDataset& data, const std::string& split,
                                     int min_votes) {
  std::vector<Sample> samples;
  for (std::size_t row : data.rows(split)) {
    if (data.duplicate(row)) continue;
    const auto votes = data.votes(row);
    Sample sample{row, {votes.begin(), votes.end()}};
    float total = std::accumulate(votes.begin(), votes.end(), 0.f);
    // A tie becomes a mixed target. A row is left out where few raters saw an expression in it.
    if (data.label(row) < 0 && total < kEnoughVotes) continue;
    // A single vote in all is no slip: rows from folders and label columns have no more.
    if (total > 1) {
      total = 0;
      for (float& vote : sample.target) {
        if (vote < static_cast<float>(min_votes)) vote = 0;
        total += vote;
      }
    }
    if (total <= 0) continue;
    for (float& vote : sample.target) vote /= total;
    samples.push_back(std::move(sample));
  }
  return samples;
}

void PixelSums::add(std::span<const std::uint8_t> pixels) {
  for (std::uint8_t pixel : pixels) {
    sum_ += pixel;
    squares_ += static_cast<double>(pixel) * pixel;
  }
  n_ += static_cast<double>(pixels.size());
}

PixelStats PixelSums::stats() const {
  if (n_ == 0) return {};
  const double mean = sum_ / n_ / 255;
  const double variance = squares_ / n_ / (255.0 * 255.0) - mean * mean;
  return {static_cast<float>(mean), static_cast<float>(std::sqrt(std::max(variance, 1e-6)))};
}

PixelStats pixel_stats(const PackedDataset& data, const std::vector<Sample>& samples) {
  PixelSums sums;
  for (const Sample& sample : samples) sums.add(data.crop(sample.row));
  return sums.stats();
}

std::vector<float> class_shares(const std::vector<Sample>& samples, double balance) {
  const std::vector<double> weights = class_weights(samples, balance);
  std::vector<double> shares(weights.size());
  double total = 0;
  for (const Sample& sample : samples) {
    const double weight = weights[majority(sample)];
    total += weight;
    for (std::size_t k = 0; k < shares.size(); ++k) shares[k] += weight * sample.target[k];
  }
  std::vector<float> result;
  // A class that never occurs keeps a small share, so that its logarithm is finite.
  for (double share : shares) result.push_back(static_cast<float>(std::max(share / total, 1e-4)));
  return result;
}

struct EpochBatches::Made {
  ViewBatch views;
  torch::Tensor targets;
};

EpochBatches::EpochBatches(const PackedDataset& data, const std::vector<Sample>& samples,
                           PixelStats stats, const AugmentConfig& augment, int batch,
                           double balance, std::uint64_t seed, int epoch, BatchPart part,
                           torch::Device device, const ResidentAugment* resident)
    : data_(data),
      samples_(samples),
      stats_(stats),
      augment_(augment),
      batch_(batch),
      seed_(seed),
      epoch_(epoch),
      part_(part),
      memory_(host_memory(device)),
      resident_(resident) {
  Random random(seed, static_cast<std::uint64_t>(epoch), ~0ull);
  // Each row is drawn floor(w) times, and once more with the remaining probability. The weights w
  // are scaled so that an epoch keeps its length; most rows of common classes are still drawn once.
  const std::vector<double> weights = class_weights(samples, balance);
  double total = 0;
  for (const Sample& sample : samples) total += weights[majority(sample)];
  const double scale = static_cast<double>(samples.size()) / total;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    double copies = weights[majority(samples[i])] * scale;
    for (; copies >= 1; --copies) order_.push_back(i);
    if (random.chance(copies)) order_.push_back(i);
  }
  std::shuffle(order_.begin(), order_.end(), random);
  prefetcher_.start(view_workers(device), [this]() -> std::function<std::shared_ptr<Made>()> {
    if (drawn_ >= size()) return {};
    return [this, index = drawn_++] { return make(index); };
  });
}

Batch Batch::to(torch::Device device) const {
  return {images.to(device, /*non_blocking=*/true), targets.to(device, /*non_blocking=*/true)};
}

std::optional<Batch> EpochBatches::next() {
  if (prefetcher_.empty()) return std::nullopt;
  const std::shared_ptr<Made> made = prefetcher_.next();
  return Batch{made->views.images(), made->targets};
}

std::shared_ptr<EpochBatches::Made> EpochBatches::make(int index) const {
  const auto& info = data_.info();
  const std::int64_t classes = static_cast<std::int64_t>(info.labels.size());
  const int rows = part_.count(batch_);
  auto made = std::make_shared<Made>(Made{ViewBatch(rows, info, stats_, memory_, resident_),
                                          torch::empty({rows, classes}, memory_)});
  float* targets = made->targets.data_ptr<float>();
  for (int i = 0; i < rows; ++i) {
    // The random view follows from the row's place in the epoch, whichever process makes it.
    const std::size_t place = static_cast<std::size_t>(index) * batch_ + part_.first(batch_) + i;
    const Sample& sample = samples_[order_[place]];
    made->views.add({&data_, sample.row}, augment_,
                    Random(seed_, static_cast<std::uint64_t>(epoch_), place));
    std::copy(sample.target.begin(), sample.target.end(), targets + i * classes);
  }
  return made;
}

torch::Tensor plain_images(const PackedDataset& data, std::span<const std::size_t> rows,
                           PixelStats stats) {
  std::vector<std::span<const std::uint8_t>> crops;
  for (std::size_t row : rows) crops.push_back(data.crop(row));
  return plain_images(crops, data.info().crops.channels, data.info().crops.side, stats);
}

torch::Tensor plain_images(const std::vector<std::span<const std::uint8_t>>& crops, int channels,
                           int side, PixelStats stats) {
  torch::Tensor images =
      torch::empty({static_cast<std::int64_t>(crops.size()), channels, side, side});
  for (std::size_t i = 0; i < crops.size(); ++i) {
    const std::span<float> out = image_at(images, static_cast<std::int64_t>(i));
    std::transform(crops[i].begin(), crops[i].end(), out.begin(),
                   [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.f; });
    normalise(out, stats);
  }
  return images;
}

}  // namespace fer
