// Between GStreamer's mapped frames and the library's FrameView.
#pragma once

#include <gst/video/video.h>

#include <optional>

#include "vision/frame.h"

namespace fer {

/// Caps string of every raw format that the elements take as it comes.
#define FER_VIDEO_FORMATS \
  "{ NV12, I420, GRAY8, RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR }"

/// The same as caps: in system memory and, in builds with CUDA, in a device's.
#ifdef HAVE_GST_CUDA
#define FER_VIDEO_CAPS                                                      \
  GST_VIDEO_CAPS_MAKE_WITH_FEATURES("memory:CUDAMemory", FER_VIDEO_FORMATS) \
  ";" GST_VIDEO_CAPS_MAKE(FER_VIDEO_FORMATS)
#else
#define FER_VIDEO_CAPS GST_VIDEO_CAPS_MAKE(FER_VIDEO_FORMATS)
#endif

/// Gives an element class a sink and a source pad for them.
void add_video_pads(GstElementClass* klass);

/// What the caps say of the frames; nullopt, and a line in the log, where they are no raw video.
std::optional<GstVideoInfo> raw_video_info(gpointer element, const GstCaps* caps);

/// The library's name of a GStreamer format; nullopt for one it does not read.
std::optional<PixelFormat> pixel_format(GstVideoFormat format);

/// A view of a mapped frame, valid while it stays mapped.
FrameView view_of(const GstVideoFrame& frame);

/// A buffer's frame, mapped for as long as this lives. The buffer must live longer. With `memory`,
/// which CudaFrames::reader() gives for it, it stays on its device, and so do the view's pointers.
class MappedFrame {
 public:
  MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags access,
              FrameMemory* memory = nullptr);
  ~MappedFrame();
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;

  /// False where the buffer could not be mapped: too small for its caps, or memory without a CPU
  /// address. Nothing else may be asked then.
  explicit operator bool() const { return mapped_; }
  FrameView view() const;
  GstVideoFrame& frame() { return frame_; }

 private:
  GstVideoFrame frame_{};
  FrameMemory* memory_;
  bool mapped_ = false;
};

}  // namespace fer
