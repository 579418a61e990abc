#include "network/cuda_graph_runner.h"

#include <iterator>

namespace fer {

CudaGraphRunner::CudaGraphRunner(const Forward& forward, torch::IntArrayRef crop_shape,
                                 torch::Device device, const Capture& capture) {
  recordings_.resize(std::size(kGraphBatchSizes));
  const CudaGraph* beside = nullptr;
  for (std::size_t i = recordings_.size(); i-- > 0;) {
    Recording& recording = recordings_[i];
    std::vector<std::int64_t> shape = crop_shape.vec();
    shape.insert(shape.begin(), kGraphBatchSizes[i]);
    recording.crops =
        torch::zeros(shape, torch::TensorOptions().dtype(torch::kUInt8).device(device));
    // What libraries allocate and choose at first must not be recorded.
    for (int times = 0; times < 2; ++times) forward(recording.crops);
    recording.work = capture([&] { recording.logits = forward(recording.crops); }, beside);
    beside = recording.work.get();
  }
}

bool CudaGraphRunner::run(const std::uint8_t* crops, std::int64_t n, float* logits) {
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
