// Work of a CUDA device that is recorded once and then started as one (a CUDA graph).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "export.h"

namespace fer {

/// What was recorded, with the memory that it works in.
class CudaGraph {
 public:
  virtual ~CudaGraph() = default;
  /// Starts it once more on the thread's current stream, with what lies in the tensors that it
  /// reads now. Returns at once. Throws std::exception where the device refuses.
  virtual void replay() = 0;
};

/// Records what a function starts on the calling thread's current stream of LibTorch's, which must
/// not be its default one, nor one that another thread uses; nothing of it runs meanwhile. Other
/// threads may use the device; one records at a time. What it draws at random would be the same
/// each time. Throws std::exception where something cannot be recorded.
///
/// `beside`: null, or what was recorded before in memory that this may use as well; of the two, one
/// runs at a time then, on one stream.
using Capture = std::function<std::unique_ptr<CudaGraph>(const std::function<void()>& work,
                                                         const CudaGraph* beside)>;

/// By CUDA graphs, in libfer-torch-cuda. Empty where this build or machine has none, and
/// `reason` says why. Thread-safe.
///
/// Looked for: the file that FER_TORCH_CUDA_LIBRARY names, the installed library, and what the
/// dynamic linker finds.
FER_API Capture open_capture(std::string& reason);

/// The library's one symbol, of this type.
inline constexpr const char* kCaptureSymbol = "fer_torch_cuda_capture_2";
using CaptureFunction = CudaGraph* (*)(const std::function<void()>&, const CudaGraph*);

}  // namespace fer
