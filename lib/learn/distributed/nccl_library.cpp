#include "learn/distributed/nccl_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace fer {
namespace {

NcclLibrary load() {
  const char* named = std::getenv("FER_NCCL_LIBRARY");
  const std::string path = named ? named : "libnccl.so.2";
  // A LibTorch with CUDA has opened its own by now, which is the one that is found.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const char* error = library ? nullptr : dlerror();
  NcclLibrary nccl{};
  const auto take = [&](auto& function, const char* name) {
    if (error) return;
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    if (!function) error = dlerror();
  };
  take(nccl.get_unique_id, "ncclGetUniqueId");
  take(nccl.comm_init_rank, "ncclCommInitRank");
  take(nccl.comm_abort, "ncclCommAbort");
  take(nccl.comm_destroy, "ncclCommDestroy");
  take(nccl.comm_get_async_error, "ncclCommGetAsyncError");
  take(nccl.get_error_string, "ncclGetErrorString");
  take(nccl.all_reduce, "ncclAllReduce");
  take(nccl.broadcast, "ncclBroadcast");
  take(nccl.all_gather, "ncclAllGather");
  if (error) {
    throw std::runtime_error(
        "several processes on CUDA devices exchange by NCCL, which does not open (" +
        std::string(error) +
        "): install libnccl2, name the file by FER_NCCL_LIBRARY, or train with --device cpu");
  }
  return nccl;
}

}  // namespace

const NcclLibrary& open_nccl() {
  static const NcclLibrary nccl = load();
  return nccl;
}

}  // namespace fer
