#include "learn/semi/ssl_batches.h"

#include <algorithm>

#include "learn/device/compute_device.h"

namespace fer {
namespace {

/// Purposes of random streams besides ViewKind: each use of the seed has its own.
enum Stream : std::uint64_t {
  kUnlabelledOrder = static_cast<std::uint64_t>(ViewKind::kStrong) + 1,
  kClassOrder,       ///< And one for each further class.
  kView = 1u << 20,  ///< Times the number of a further weak view, and its kind.
};

}  // namespace

SslBatches::SslBatches(const SslData& data, const FaceViews& views, const SslBatchConfig& config,
                       std::int64_t first_step)
    : data_(data),
      views_(views),
      config_(config),
      unlabelled_sampler_(data.unlabelled.size(), config.seed, kUnlabelledOrder),
      step_(first_step) {
  of_class_.resize(data.info.labels.size());
  for (std::size_t i = 0; i < data.labelled.size(); ++i)
    of_class_[static_cast<std::size_t>(data.labelled[i].label)].push_back(i);
  std::erase_if(of_class_, [](const auto& faces) { return faces.empty(); });
  for (std::size_t k = 0; k < of_class_.size(); ++k)
    class_samplers_.emplace_back(of_class_[k].size(), config.seed, kClassOrder + k);
  prefetcher_.start(view_workers(config.device), [this]() -> std::function<SslBatch()> {
    return [this, drawn = draw(step_++)] { return make(drawn); };
  });
}

SslBatch SslBatches::next() {
  return prefetcher_.next();
}

std::uint64_t SslBatches::place(std::int64_t step, int rows, int i) const {
  return static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(rows) +
         static_cast<std::uint64_t>(config_.part.first(rows) + i);
}

SslBatches::Draw SslBatches::draw(std::int64_t step) {
  Draw drawn{step, {}, {}};
  const int labelled = config_.part.count(config_.batch);
  for (int i = 0; i < labelled; ++i) {
    const std::uint64_t position = place(step, config_.batch, i);
    const std::size_t k = position % of_class_.size();
    drawn.labelled.push_back(of_class_[k][class_samplers_[k].at(position / of_class_.size())]);
  }
  const int all = config_.mu * config_.batch, unlabelled = config_.part.count(all);
  for (int i = 0; i < unlabelled; ++i)
    drawn.unlabelled.push_back(unlabelled_sampler_.at(place(step, all, i)));
  return drawn;
}

SslBatch SslBatches::make(const Draw& drawn) const {
  const auto classes = static_cast<std::int64_t>(data_.info.labels.size());
  const auto views = [&](ViewKind kind, const std::vector<FaceRef>& faces, int rows, int view = 0) {
    const std::uint64_t stream =
        static_cast<std::uint64_t>(kind) + kView * static_cast<std::uint64_t>(view);
    return views_.of(kind, faces, {config_.seed, stream, place(drawn.step, rows, 0)});
  };
  const auto memory = host_memory(config_.device);
  const auto labelled = static_cast<std::int64_t>(drawn.labelled.size());
  SslBatch batch;
  batch.targets = torch::empty({labelled, classes}, memory);
  batch.labels = torch::empty({labelled}, memory.dtype(torch::kLong));
  std::vector<FaceRef> faces;
  for (std::int64_t i = 0; i < labelled; ++i) {
    const std::size_t index = drawn.labelled[static_cast<std::size_t>(i)];
    faces.push_back(data_.labelled[index]);
    std::copy(data_.targets[index].begin(), data_.targets[index].end(),
              batch.targets.data_ptr<float>() + i * classes);
    batch.labels.data_ptr<std::int64_t>()[i] = faces.back().label;
  }
  batch.labelled = views(ViewKind::kLabelled, faces, config_.batch);
  if (drawn.unlabelled.empty()) return batch;
  const int all = config_.mu * config_.batch;
  faces.clear();
  batch.truth = torch::empty({static_cast<std::int64_t>(drawn.unlabelled.size())},
                             memory.dtype(torch::kLong));
  for (const std::size_t index : drawn.unlabelled) {
    faces.push_back(data_.unlabelled[index]);
    batch.truth.data_ptr<std::int64_t>()[faces.size() - 1] = faces.back().label;
  }
  std::vector<torch::Tensor> weak;
  for (int view = 0; view < config_.weak_views; ++view)
    weak.push_back(views(ViewKind::kWeak, faces, all, view));
  batch.weak = weak.size() == 1 ? weak.front() : torch::cat(weak);
  batch.strong = views(ViewKind::kStrong, faces, all);
  return batch;
}

SslBatch SslBatch::to(torch::Device device) const {
  const auto there = [&](const torch::Tensor& tensor) {
    return tensor.defined() ? tensor.to(device, /*non_blocking=*/true) : tensor;
  };
  return {there(labelled), there(targets), there(labels), there(weak), there(strong), there(truth)};
}

}  // namespace fer
