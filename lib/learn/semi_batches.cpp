#include "learn/semi_batches.h"

#include <algorithm>

namespace fer {
namespace {

/// What a random stream is for besides the kinds of views, so that no two uses of a seed share one.
enum Stream : std::uint64_t {
  kUnlabelledOrder = static_cast<std::uint64_t>(ViewKind::kStrong) + 1,
  kClassOrder,       ///< And one for each further class.
  kView = 1u << 20,  ///< Times the number of a further weak view, and its kind.
};

}  // namespace

SemiBatches::SemiBatches(const SemiData& data, const FaceViews& views,
                         const SemiBatchConfig& config, std::int64_t first_step)
    : data_(data),
      views_(views),
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
  const auto classes = static_cast<std::int64_t>(data_.info.labels.size());
  // A row's place among all that are drawn of its kind: its view follows from it, not from who
  // makes it.
  const auto place = [&](int rows, int i) {
    return static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(rows) +
           static_cast<std::uint64_t>(config_.part.first(rows) + i);
  };
  const auto views = [&](ViewKind kind, const std::vector<FaceRef>& faces, int rows, int view = 0) {
    std::vector<Random> randoms;
    const std::uint64_t stream =
        static_cast<std::uint64_t>(kind) + kView * static_cast<std::uint64_t>(view);
    for (int i = 0; i < static_cast<int>(faces.size()); ++i)
      randoms.emplace_back(config_.seed, stream, place(rows, i));
    return views_.of(kind, faces, randoms);
  };
  const int labelled = config_.part.count(config_.batch);
  SemiBatch batch{
      {}, torch::empty({labelled, classes}), torch::empty({labelled}, torch::kLong), {}, {}, {}};
  std::vector<FaceRef> faces;
  for (int i = 0; i < labelled; ++i) {
    const std::uint64_t position = place(config_.batch, i);
    const std::size_t k = position % of_class_.size();
    const std::size_t index = of_class_[k][class_walks_[k].at(position / of_class_.size())];
    faces.push_back(data_.labelled[index]);
    std::copy(data_.targets[index].begin(), data_.targets[index].end(),
              batch.targets.data_ptr<float>() + i * classes);
    batch.labels.data_ptr<std::int64_t>()[i] = faces.back().label;
  }
  batch.labelled = views(ViewKind::kLabelled, faces, config_.batch);
  const int drawn = config_.mu * config_.batch, unlabelled = config_.part.count(drawn);
  if (unlabelled == 0) return batch;
  faces.clear();
  batch.truth = torch::empty({unlabelled}, torch::kLong);
  for (int i = 0; i < unlabelled; ++i) {
    faces.push_back(data_.unlabelled[unlabelled_walk_.at(place(drawn, i))]);
    batch.truth.data_ptr<std::int64_t>()[i] = faces.back().label;
  }
  std::vector<torch::Tensor> weak;
  for (int view = 0; view < config_.weak_views; ++view)
    weak.push_back(views(ViewKind::kWeak, faces, drawn, view));
  batch.weak = weak.size() == 1 ? weak.front() : torch::cat(weak);
  batch.strong = views(ViewKind::kStrong, faces, drawn);
  return batch;
}

}  // namespace fer
