// What libfer-cuda offers. It is opened at run time (open_kernels.h), so that all of it hangs on
// one symbol; nothing here needs CUDA's headers.
#pragma once

#include <cstddef>

#include "kernels/augment.h"
#include "kernels/blend_shapes.h"
#include "kernels/decode_detections.h"
#include "kernels/pseudo_label_step.h"
#include "kernels/resize_luma.h"
#include "kernels/run_layer.h"
#include "kernels/warp_faces.h"

struct CUstream_st;

namespace fer::kernels {

/// CUDA's own cudaStream_t and CUstream.
using Stream = CUstream_st*;

/// CUDA's cudaStreamPerThread: of the calling thread and the current context.
inline const Stream kThreadsOwnStream = reinterpret_cast<Stream>(2);

/// Goes up with every change of KernelTable or of a struct in it.
inline constexpr int kKernelTableVersion = 5;

/// Kernels for the calling thread's current device. Each launch returns at once: null, or why
/// nothing was launched, in CUDA's words. Pointers are to the device's memory; arguments are the
/// caller's to check by the check() of each.
struct KernelTable {
  int version;                ///< kKernelTableVersion of the library.
  int toolkit;                ///< As cudart counts: 13000 is 13.0.
  const char* architectures;  ///< "80, 86, …", for people.

  /// Devices that answer. Null, or why not even that can be told.
  const char* (*count_devices)(int* count);
  /// Null where the kernels were built for the device's architecture, else CUDA's words.
  const char* (*check_device)(int device);
  /// Makes it the calling thread's current device. Null, or CUDA's words.
  const char* (*use_device)(int device);

  /// Memory of the current device for `bytes`. Null, or CUDA's words.
  const char* (*allocate)(void** memory, std::size_t bytes);
  const char* (*release)(void* memory);
  /// Copies from the processor's memory, which may be changed as soon as this returns.
  const char* (*upload)(void* to, const void* from, std::size_t bytes, Stream stream);
  /// Copies to the processor's memory, and waits for all that the stream had to do before.
  const char* (*download)(void* to, const void* from, std::size_t bytes, Stream stream);

  /// Waits for all that the stream had to do.
  const char* (*wait)(Stream stream);

  /// Bytes that the current device needs to make these views; what lies in memory is not looked at.
  std::size_t (*augment_workspace)(const Augment& augment);
  const char* (*augment)(const Augment& augment, Stream stream);
  std::size_t (*pseudo_label_workspace)();
  const char* (*pseudo_label_step)(const PseudoLabelStep& step, Stream stream);
  const char* (*warp_faces)(const WarpFaces& warp, Stream stream);
  const char* (*resize_luma)(const ResizeLuma& resize, Stream stream);
  const char* (*run_layer)(const RunLayer& layer, Stream stream);
  const char* (*decode_detections)(const DecodeDetections& decode, Stream stream);
  const char* (*blend_shapes)(const BlendShapes& blend, Stream stream);
};

/// The library's one symbol, of this type.
inline constexpr const char* kKernelTableSymbol = "fer_cuda_kernels";
using KernelTableGetter = const KernelTable* (*)();

}  // namespace fer::kernels
