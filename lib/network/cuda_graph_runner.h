// Batches of a few fixed sizes, each recorded once: where a network is small, starting its kernels
// one by one takes longer than they do.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "network/cuda_graph.h"

namespace fer {

/// The sizes, ascending; a batch is filled up to the next one.
inline constexpr std::int64_t kGraphBatchSizes[] = {1, 4, 16, 64, 256};

/// One network's recordings. They share its stream and the memory that they work in, so that one
/// batch runs at a time.
class CudaGraphRunner {
 public:
  /// n x channels x side x side uint8 on the device → n x classes fp32 there.
  using Forward = std::function<torch::Tensor(const torch::Tensor&)>;

  /// Runs `forward` at each size, to have everything it keeps in place, and records it, the largest
  /// first, in whose memory the others find room. Everything happens on the calling thread's
  /// current stream, and so must run(). Throws what `capture` and `forward` throw.
  CudaGraphRunner(const Forward& forward, torch::IntArrayRef crop_shape, torch::Device device,
                  const Capture& capture);

  /// n crops in the processor's memory → n x classes logits, in the processor's memory as well.
  /// False where n is larger than the largest size; nothing was done then.
  bool run(const std::uint8_t* crops, std::int64_t n, float* logits);

 private:
  struct Recording {
    torch::Tensor crops, logits;
    std::unique_ptr<CudaGraph> work;
  };
  std::mutex mutex_;                   ///< A recording reads and writes the same memory each time.
  std::vector<Recording> recordings_;  ///< By size, ascending.
};

}  // namespace fer
