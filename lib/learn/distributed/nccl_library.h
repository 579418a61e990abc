// NVIDIA's collective communications library, opened at run time: it is not needed to build.
#pragma once

#include <array>
#include <cstddef>

namespace fer {

// Of NCCL's C interface, what is used here, as its version 2 has it:
// https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/api.html
struct NcclId {
  std::array<char, 128> bytes;
};
using NcclComm = void*;
enum class NcclResult : int { kSuccess = 0, kInProgress = 7 };
enum class NcclType : int {
  kUint8 = 1,
  kInt32 = 2,
  kInt64 = 4,
  kHalf = 6,
  kFloat = 7,
  kDouble = 8,
  kBf16 = 9
};
enum class NcclOperation : int { kSum = 0 };

/// Its functions; `stream` is a cudaStream_t, nullptr the device's default one. Work is put there
/// and may not be done when they return.
struct NcclLibrary {
  NcclResult (*get_unique_id)(NcclId* id);
  NcclResult (*comm_init_rank)(NcclComm* comm, int size, NcclId id, int rank);
  NcclResult (*comm_abort)(NcclComm comm);
  NcclResult (*comm_destroy)(NcclComm comm);
  NcclResult (*comm_get_async_error)(NcclComm comm, NcclResult* error);
  const char* (*get_error_string)(NcclResult result);
  NcclResult (*all_reduce)(const void* send, void* receive, std::size_t count, NcclType type,
                           NcclOperation operation, NcclComm comm, void* stream);
  NcclResult (*broadcast)(const void* send, void* receive, std::size_t count, NcclType type,
                          int root, NcclComm comm, void* stream);
  /// `count`: of what each brings.
  NcclResult (*all_gather)(const void* send, void* receive, std::size_t count, NcclType type,
                           NcclComm comm, void* stream);
};

/// libnccl.so.2, or what FER_NCCL_LIBRARY names. Throws std::runtime_error: what was looked for and
/// what to do.
const NcclLibrary& open_nccl();

}  // namespace fer
