// Frames in the memory of a CUDA device (video/x-raw(memory:CUDAMemory)).
#pragma once

#include <gst/gst.h>

#include <memory>

#include "kernels/blend_shapes.h"
#include "vision/frame_memory.h"

namespace fer {

/// Answers a query for a CUDA context with the first device's primary one, in which LibTorch works:
/// a neighbour that asks and takes it shares it with what infers, where contexts of their own would
/// take turns on the device. False where the query is for something else or there is no driver.
bool answer_context_query(GstElement* element, GstQuery* query);

/// Reads one stream's frames where they lie. The streaming thread's.
class CudaFrames {
 public:
  CudaFrames();
  ~CudaFrames();
  CudaFrames(CudaFrames&&) noexcept;
  CudaFrames& operator=(CudaFrames&&) noexcept;

  /// What reads this buffer's frame on its device, in GStreamer's own context; for MappedFrame.
  /// Null where it lies in the processor's memory, and where the device cannot run the kernels or
  /// failed in one: the element warns of that once, and GStreamer downloads the frames as they are
  /// mapped.
  FrameMemory* reader(GstElement* element, GstBuffer* buffer);

  /// Draws on the frame of the buffer that reader() was last called for, which is mapped for
  /// writing with what that gave. See kernels::DeviceFrames::blend().
  void blend(const kernels::BlendShapes& shapes, std::size_t coverage_bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fer
