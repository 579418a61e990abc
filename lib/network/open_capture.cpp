#include <dlfcn.h>

#include "network/cuda_graph.h"
#include "util/optional_library.h"

namespace fer {

Capture open_capture(std::string& reason) {
#ifdef FER_TORCH_CUDA_LIBRARY_NAME
  static const auto opened = [] {
    std::pair<CaptureFunction, std::string> found;
    found.first = open_library(
        {"FER_TORCH_CUDA_LIBRARY", FER_TORCH_CUDA_INSTALLED_FOLDER, FER_TORCH_CUDA_LIBRARY_NAME},
        found.second, [](void* library) {
          return reinterpret_cast<CaptureFunction>(dlsym(library, kCaptureSymbol));
        });
    return found;
  }();
  reason = opened.second;
  if (!opened.first) return {};
  return [](const std::function<void()>& work, const CudaGraph* beside) {
    return std::unique_ptr<CudaGraph>(opened.first(work, beside));
  };
#else
  reason = "built without them";
  return {};
#endif
}

}  // namespace fer
