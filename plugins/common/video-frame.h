// Between GStreamer's mapped frames and the library's FrameView.
#pragma once

#include <gst/video/video.h>

#include <optional>

#include "vision/frame.h"
#include "vision/shown_frame.h"

namespace fer {

/// Caps strings of every raw format that the elements take as it comes: those that are read on a
/// device, too, and all that are read in the processor's memory.
#define FER_DEVICE_FORMATS \
  "NV12, I420, GRAY8, RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR"
#define FER_VIDEO_FORMATS \
  "{ " FER_DEVICE_FORMATS ", NV21, YV12, YUY2, UYVY, Y42B, Y444, P010_10LE, I420_10LE }"

/// The same as caps: in system memory and, in builds with CUDA, in a device's.
#ifdef HAVE_GST_CUDA
#define FER_VIDEO_CAPS                                                                 \
  GST_VIDEO_CAPS_MAKE_WITH_FEATURES("memory:CUDAMemory", "{ " FER_DEVICE_FORMATS " }") \
  ";" GST_VIDEO_CAPS_MAKE(FER_VIDEO_FORMATS)
#else
#define FER_VIDEO_CAPS GST_VIDEO_CAPS_MAKE(FER_VIDEO_FORMATS)
#endif

/// Frames in system memory with an overlay composition.
#define FER_OVERLAID_VIDEO_CAPS                                                               \
  GST_VIDEO_CAPS_MAKE_WITH_FEATURES(GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY                     \
                                    ", " GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION, \
                                    FER_VIDEO_FORMATS)

/// Gives an element class a sink and a source pad for them.
void add_video_pads(GstElementClass* klass);
/// The same; frames may also carry an overlay that downstream blends, which the caps then say.
void add_overlaid_video_pads(GstElementClass* klass);

/// What the caps say of the frames; nullopt, and a line in the log, where they are no raw video.
std::optional<GstVideoInfo> raw_video_info(gpointer element, const GstCaps* caps);

/// The library's name of a GStreamer format; nullopt for one it does not read.
std::optional<PixelFormat> pixel_format(GstVideoFormat format);

/// Width over height of a pixel, as the caps have it.
double pixel_aspect_of(const GstVideoInfo& info);

/// Of frames with this info that are seen in this orientation.
FrameGeometry geometry_of(const GstVideoInfo& info,
                          Orientation orientation = Orientation::kIdentity);

/// Whether frames of both show pictures of the same shape, so that what lies at a share of the
/// one's width and height lies there in the other, too.
bool same_shape(const GstVideoInfo& a, const GstVideoInfo& b);

/// How long a frame lasts by its caps; 0 where they do not say.
GstClockTime frame_duration(const GstVideoInfo& info);

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
  /// `orientation` says how the frame is to be turned to be seen upright.
  FrameView view(Orientation orientation = Orientation::kIdentity) const;
  GstVideoFrame& frame() { return frame_; }

 private:
  GstVideoFrame frame_{};
  FrameMemory* memory_;
  bool mapped_ = false;
};

}  // namespace fer
