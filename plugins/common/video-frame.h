// Between GStreamer's mapped frames and the library's FrameView.
#pragma once

#include <gst/video/video.h>

#include <optional>

#include "vision/frame.h"

namespace fer {

/// Caps string of every raw format that the elements take as it comes.
#define FER_VIDEO_FORMATS \
  "{ NV12, I420, GRAY8, RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR }"

/// The library's name of a GStreamer format; nullopt for one it does not read.
std::optional<PixelFormat> pixel_format(GstVideoFormat format);

/// A view of a mapped frame, valid while it stays mapped.
FrameView view_of(const GstVideoFrame& frame);

}  // namespace fer
