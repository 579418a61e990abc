// libfer-torch-cuda: what needs LibTorch's CUDA headers, and with them CUDA's. It is opened once a
// device is in use (open_capture()), so that nothing else hangs on LibTorch's CUDA half.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime.h>

#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>

#include "network/cuda_graph.h"

namespace fer {
namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

void must(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // Else whoever asks next takes it for its own.
  throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(error));
}

/// One recording at a time: what gives memory back (emptyCache()) may not meet one.
std::mutex& recording() {
  static std::mutex mutex;
  return mutex;
}

/// What the thread's current stream allocates comes from a pool of its own as long as this lives.
class InPool {
 public:
  InPool(c10::DeviceIndex device, at::cuda::MempoolId_t pool, cudaStream_t stream)
      : device_(device), pool_(pool) {
    allocator::beginAllocateToPool(device, pool,
                                   [stream](cudaStream_t other) { return other == stream; });
  }
  ~InPool() { allocator::endAllocateToPool(device_, pool_); }
  InPool(const InPool&) = delete;
  InPool& operator=(const InPool&) = delete;

 private:
  const c10::DeviceIndex device_;
  const at::cuda::MempoolId_t pool_;
};

/// A CUDA graph with the memory that it works in. Not LibTorch's own class, which makes every
/// thread's random numbers part of a recording, so that others that draw some meanwhile fail, and
/// which leaves the allocator in the middle of a recording that CUDA broke off. No random numbers
/// are drawn here.
class Graph final : public CudaGraph {
 public:
  Graph(const std::function<void()>& work, const Graph* beside)
      : stream_(c10::cuda::getCurrentCUDAStream()),
        pool_(beside ? beside->pool_ : at::cuda::graph_pool_handle()) {
    const std::lock_guard lock(recording());
    // What dropped models worked in is kept by the allocator, which others cannot take it from.
    if (!beside) allocator::emptyCache();
    try {
      record(work);
    } catch (...) {
      if (in_use_) allocator::releasePool(stream_.device_index(), pool_);
      throw;
    }
  }

  ~Graph() override {
    const c10::cuda::CUDAGuard device(stream_.device_index());
    cudaGraphExecDestroy(graph_);
    allocator::releasePool(stream_.device_index(), pool_);
  }

  void replay() override {
    must(cudaGraphLaunch(graph_, c10::cuda::getCurrentCUDAStream()), "starting a recording");
  }

 private:
  void record(const std::function<void()>& work) {
    cudaGraph_t recorded = nullptr;
    std::exception_ptr failure;
    {
      // Before the recording begins and until it has ended: others' memory is given back meanwhile.
      const InPool in_pool(stream_.device_index(), pool_, stream_);
      in_use_ = true;
      // Other threads go on allocating, and training.
      must(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal),
           "beginning to record");
      try {
        work();
      } catch (...) {
        failure = std::current_exception();
      }
      // Ended in any case, or the stream takes nothing any more.
      const cudaError_t ended = cudaStreamEndCapture(stream_, &recorded);
      if (!failure) must(ended, "recording");
    }
    if (!failure) {
      const cudaError_t made = cudaGraphInstantiateWithFlags(
          &graph_, recorded, cudaGraphInstantiateFlagAutoFreeOnLaunch);
      cudaGraphDestroy(recorded);
      return must(made, "preparing a recording");
    }
    if (recorded) cudaGraphDestroy(recorded);
    cudaGetLastError();
    std::rethrow_exception(failure);
  }

  const c10::cuda::CUDAStream stream_;  ///< That it was recorded on.
  const at::cuda::MempoolId_t pool_;
  bool in_use_ = false;  ///< The pool, by this.
  cudaGraphExec_t graph_ = nullptr;
};

}  // namespace
}  // namespace fer

extern "C" __attribute__((visibility("default"))) fer::CudaGraph* fer_torch_cuda_capture_2(
    const std::function<void()>& work, const fer::CudaGraph* beside) {
  return new fer::Graph(work, static_cast<const fer::Graph*>(beside));
}
