#include "learn/semi_batches.h"

#include <algorithm>

namespace fer {
namespace {

/// What a random stream is for, so that no two uses of a seed share one.
enum Stream : std::uint64_t {
  kLabelledView = 1,
  kWeakView,
  kStrongView,
  kUnlabelledOrder,
  kClassOrder,  ///< And one for each further class.
};

}  // namespace

SemiBatches::SemiBatches(const SemiData& data, PixelStats stats, const SemiBatchConfig& config,
                         std::int64_t first_step)
    : data_(data),
      stats_(stats),
      config_(config),
      unlabelled_walk_(data.unlabelled.size(), config.seed, kUnlabelledOrder),
      step_(first_step) {
  of_class_.resize(data.info.labels.size());
  for (std::size_t i = 0; i < data.labelled.size(); ++i)
    of_class_[static_cast<std::size_t>(data.labelled[i].label)].push_back(i);
  std::erase_if(of_class_, [](const auto& faces) { return faces.empty(); });
  for (std::size_t k = 0; k < of_class_.size(); ++k)
    class_walks_.emplace_back(of_class_[k].size(), config.seed, kClassOrder + k);
  ahead_ = std::async(std::launch::async, [this, step = step_] { return make(step); });
}

SemiBatches::~SemiBatches() {
  if (ahead_.valid()) ahead_.wait();
}

SemiBatch SemiBatches::next() {
  SemiBatch batch = ahead_.get();
  ahead_ = std::async(std::launch::async, [this, step = ++step_] { return make(step); });
  return batch;
}

SemiBatch SemiBatches::make(std::int64_t step) {
  const PackedInfo& info = data_.info;
  const auto classes = static_cast<std::int64_t>(info.labels.size());
  const auto images = [&](int rows) {
    return torch::empty({rows, info.channels, info.side, info.side});
  };
  // A row's place among all that are drawn of its kind: its view follows from it, not from who
  // makes it.
  const auto place = [&](int rows, int i) {
    return static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(rows) +
           static_cast<std::uint64_t>(config_.part.first(rows) + i);
  };
  const int labelled = config_.part.count(config_.batch);
  SemiBatch batch{images(labelled),
                  torch::empty({labelled, classes}),
                  torch::empty({labelled}, torch::kLong),
                  {},
                  {},
                  {}};
  for (int i = 0; i < labelled; ++i) {
    const std::uint64_t position = place(config_.batch, i);
    const std::size_t k = position % of_class_.size();
    const std::size_t index = of_class_[k][class_walks_[k].at(position / of_class_.size())];
    const FaceRef& face = data_.labelled[index];
    const std::span<float> out = image_at(batch.labelled, i);
    augment(face.crop(), info.channels, info.side, config_.weak,
            Random(config_.seed, kLabelledView, position), out);
    normalise(out, stats_);
    std::copy(data_.targets[index].begin(), data_.targets[index].end(),
              batch.targets.data_ptr<float>() + i * classes);
    batch.labels.data_ptr<std::int64_t>()[i] = face.label;
  }
  const int unlabelled = config_.part.count(config_.mu * config_.batch);
  if (unlabelled == 0) return batch;
  batch.weak = images(unlabelled);
  batch.strong = images(unlabelled);
  batch.truth = torch::empty({unlabelled}, torch::kLong);
  for (int i = 0; i < unlabelled; ++i) {
    const std::uint64_t position = place(config_.mu * config_.batch, i);
    const FaceRef& face = data_.unlabelled[unlabelled_walk_.at(position)];
    const std::span<float> weak = image_at(batch.weak, i), strong = image_at(batch.strong, i);
    augment(face.crop(), info.channels, info.side, config_.weak,
            Random(config_.seed, kWeakView, position), weak);
    rand_augment(face.crop(), info.channels, info.side, config_.strong,
                 Random(config_.seed, kStrongView, position), strong);
    normalise(weak, stats_);
    normalise(strong, stats_);
    batch.truth.data_ptr<std::int64_t>()[i] = face.label;
  }
  return batch;
}

}  // namespace fer
