// libfer-torch-cuda: what needs LibTorch's CUDA headers, and with them CUDA's. It is opened once a
// device is in use (open_capture()), so that nothing else hangs on LibTorch's CUDA half.
#include <ATen/cuda/CUDAGraph.h>

#include "model/captured_work.h"

namespace fer {
namespace {

class Graph final : public CapturedWork {
 public:
  explicit Graph(const std::function<void()>& work) {
    // Other threads go on allocating, and training.
    graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      // A recording that was begun must end, or the stream takes nothing any more.
      try {
        graph_.capture_end();
      } catch (const std::exception&) {
      }
      throw;
    }
    graph_.capture_end();
  }

  void replay() override { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_;
};

}  // namespace
}  // namespace fer

extern "C" __attribute__((visibility("default"))) fer::CapturedWork* fer_torch_cuda_capture_1(
    const std::function<void()>& work) {
  return new fer::Graph(work);
}
