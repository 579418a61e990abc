#include <dlfcn.h>

#include <cstring>
#include <utility>

#include "model/torch_backend.h"
#include "util/optional_library.h"
#include "version.h"

namespace fer {
namespace {

const TorchBackend* backend_of(void* library) {
  const auto function = reinterpret_cast<TorchBackendFunction>(dlsym(library, kTorchBackendSymbol));
  if (!function) return nullptr;
  const TorchBackend* backend = function();
  return std::strcmp(backend->version, FER_VERSION) == 0 ? backend : nullptr;
}

std::pair<const TorchBackend*, std::string> open_backend() {
  std::pair<const TorchBackend*, std::string> found;
  // A second copy of LibTorch's library beside the one of a program would have its own state.
  if (void* loaded = dlopen(FER_TORCH_LIBRARY_NAME, RTLD_NOW | RTLD_NOLOAD)) {
    found.first = backend_of(loaded);
    if (found.first) return found;
  }
  found.first =
      open_library({"FER_TORCH_LIBRARY", FER_TORCH_INSTALLED_FOLDER, FER_TORCH_LIBRARY_NAME},
                   found.second, backend_of);
  return found;
}

}  // namespace

const TorchBackend* open_torch_backend(std::string& reason) {
  static const auto opened = open_backend();
  reason = opened.second;
  return opened.first;
}

}  // namespace fer
