#include "learn/pretrain/pretrain_batches.h"

#include "learn/device/compute_device.h"

namespace fer {
namespace {

/// Purposes of random streams: each use of the seed has its own.
enum Stream : std::uint64_t { kOrder = 1, kFirstView, kSecondView };

}  // namespace

PretrainBatches::PretrainBatches(const std::vector<FaceRef>& faces, PixelStats stats,
                                 const AugmentConfig& views, int batch, std::uint64_t seed,
                                 std::int64_t first_step, torch::Device device,
                                 const ResidentAugment* resident)
    : faces_(faces),
      stats_(stats),
      views_(views),
      batch_(batch),
      seed_(seed),
      sampler_(faces.size(), seed, kOrder),
      step_(first_step),
      memory_(host_memory(device)),
      resident_(resident) {
  prefetcher_.start(view_workers(device), [this]() -> std::function<ViewBatch()> {
    const std::int64_t step = step_++;
    return [this, step, drawn = draw(step)] { return make(step, drawn); };
  });
}

torch::Tensor PretrainBatches::next() {
  return prefetcher_.next().images();
}

std::vector<std::size_t> PretrainBatches::draw(std::int64_t step) {
  std::vector<std::size_t> drawn;
  const auto count = static_cast<std::uint64_t>(batch_);
  for (std::uint64_t i = 0; i < count; ++i)
    drawn.push_back(sampler_.at(static_cast<std::uint64_t>(step) * count + i));
  return drawn;
}

ViewBatch PretrainBatches::make(std::int64_t step, const std::vector<std::size_t>& drawn) const {
  ViewBatch views(2 * batch_, faces_.front().data->info(), stats_, memory_, resident_);
  for (const Stream stream : {kFirstView, kSecondView}) {
    for (int i = 0; i < batch_; ++i) {
      const std::uint64_t position =
          static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(batch_) +
          static_cast<std::uint64_t>(i);
      views.add(faces_[drawn[static_cast<std::size_t>(i)]], views_,
                Random(seed_, stream, position));
    }
  }
  return views;
}

}  // namespace fer
