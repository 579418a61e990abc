// The functions of libfer-cuda, as a table behind one symbol: the library is opened at run time
// (open_kernels.h). No CUDA header is needed here.
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

/// Version of KernelTable. Raise it with every change of the table or of a struct in it.
inline constexpr int kKernelTableVersion = 5;

/// Kernels for the calling thread's current device. Each launch returns at once: null, or CUDA's
/// words for why nothing was launched. Pointers are to the device's memory. The caller checks the
/// arguments by the kernel's check().
struct KernelTable {
  int version;                ///< kKernelTableVersion of the library.
  int toolkit;                ///< CUDA's version in cudart's count: 13000 is 13.0.
  const char* architectures;  ///< "80, 86, …", for people.

  /// Counts the devices. Null, or CUDA's words.
  const char* (*count_devices)(int* count);
  /// Null where the kernels run on the device's architecture, else CUDA's words.
  const char* (*check_device)(int device);
  /// Makes a device the calling thread's current one. Null, or CUDA's words.
  const char* (*use_device)(int device);

  /// Allocates `bytes` of the current device's memory. Null, or CUDA's words.
  const char* (*allocate)(void** memory, std::size_t bytes);
  const char* (*release)(void* memory);
  /// Copies from the processor's memory, which the caller may change once this returns.
  const char* (*upload)(void* to, const void* from, std::size_t bytes, Stream stream);
  /// Copies to the processor's memory, after all earlier work of the stream, and waits for it.
  const char* (*download)(void* to, const void* from, std::size_t bytes, Stream stream);

  /// Waits for all work of the stream.
  const char* (*wait)(Stream stream);

  /// Bytes of scratch memory that the current device needs for these views. Reads no crops.
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
