#include "learn/pretrain_batches.h"

namespace fer {
namespace {

/// What a random stream is for, so that no two uses of the seed share one.
enum Stream : std::uint64_t { kOrder = 1, kFirstView, kSecondView };

}  // namespace

PretrainBatches::PretrainBatches(const std::vector<FaceRef>& faces, PixelStats stats,
                                 const AugmentConfig& views, int batch, std::uint64_t seed,
                                 std::int64_t first_step)
    : faces_(faces),
      stats_(stats),
      views_(views),
      batch_(batch),
      seed_(seed),
      walk_(faces.size(), seed, kOrder),
      step_(first_step) {
  ahead_ = std::async(std::launch::async, [this, step = step_] { return make(step); });
}

PretrainBatches::~PretrainBatches() {
  if (ahead_.valid()) ahead_.wait();
}

torch::Tensor PretrainBatches::next() {
  torch::Tensor images = ahead_.get();
  ahead_ = std::async(std::launch::async, [this, step = ++step_] { return make(step); });
  return images;
}

torch::Tensor PretrainBatches::make(std::int64_t step) {
  const PackedInfo& info = faces_.front().data->info();
  torch::Tensor images = torch::empty({2 * batch_, info.channels, info.side, info.side});
  for (int i = 0; i < batch_; ++i) {
    const std::uint64_t position =
        static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(batch_) +
        static_cast<std::uint64_t>(i);
    const FaceRef& face = faces_[walk_.at(position)];
    for (const Stream stream : {kFirstView, kSecondView}) {
      const std::span<float> out = image_at(images, stream == kFirstView ? i : batch_ + i);
      augment(face.crop(), info.channels, info.side, views_, Random(seed_, stream, position), out);
      normalise(out, stats_);
    }
  }
  return images;
}

}  // namespace fer
