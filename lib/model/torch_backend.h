// What LibTorch adds to inference: CUDA devices, and processors where there is no oneDNN.
//
// This library does without LibTorch. The one above it, which has LibTorch, is opened when its
// engines are first asked for.
#pragma once

#include <memory>
#include <string>

#include "model/precision.h"

namespace fer {

struct FoldedNetwork;
class InferenceEngine;

/// The functions of the library with LibTorch. Thread-safe.
struct TorchBackend {
  const char* version;        ///< Of gst-fer, as it was built.
  const char* torch_version;  ///< Of LibTorch, as it was built against.
  /// Whether LibTorch can use a CUDA device. Opens its CUDA half, several hundred megabytes, where
  /// that is a library of its own.
  bool (*has_cuda)();
  int (*device_count)();
  /// An engine on "cpu" or "cuda:N". Throws std::exception where the device cannot take it.
  std::unique_ptr<InferenceEngine> (*make_engine)(const FoldedNetwork& network, Precision precision,
                                                  const std::string& device);
};

/// The library's one symbol for this, of this type. Null where the caller is of another version.
inline constexpr const char* kTorchBackendSymbol = "fer_torch_backend_1";
using TorchBackendFunction = const TorchBackend* (*)();

/// The library of this process, where one is loaded already. Else it is looked for: the file that
/// FER_TORCH_LIBRARY names, the installed library, and what the dynamic linker finds. Null where
/// there is none of this version, and `reason` says why then. Thread-safe; looks once.
const TorchBackend* open_torch_backend(std::string& reason);

}  // namespace fer
