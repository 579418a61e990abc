#include "model/graphed_batches.h"

namespace fer {

GraphedBatches::GraphedBatches(const Forward& forward, torch::IntArrayRef crop_shape,
                               torch::Device device, const Capture& capture) {
  for (const std::int64_t size : kGraphedSizes) {
    std::vector<std::int64_t> shape = crop_shape.vec();
    shape.insert(shape.begin(), size);
    Recording recording;
    recording.crops =
        torch::zeros(shape, torch::TensorOptions().dtype(torch::kUInt8).device(device));
    // What libraries allocate and choose at first must not be recorded.
    for (int i = 0; i < 2; ++i) forward(recording.crops);
    recording.work = capture([&] { recording.logits = forward(recording.crops); });
    recordings_.push_back(std::move(recording));
  }
}

bool GraphedBatches::run(const std::uint8_t* crops, std::int64_t n, float* logits) {
  for (Recording& recording : recordings_) {
    if (recording.crops.size(0) < n) continue;
    const std::lock_guard lock(mutex_);
    std::vector<std::int64_t> shape = recording.crops.sizes().vec();
    shape[0] = n;
    recording.crops.narrow(0, 0, n).copy_(
        torch::from_blob(const_cast<std::uint8_t*>(crops), shape, torch::kUInt8));
    recording.work->replay();
    // This waits for the device.
    torch::from_blob(logits, {n, recording.logits.size(1)}).copy_(recording.logits.narrow(0, 0, n));
    return true;
  }
  return false;
}

}  // namespace fer
