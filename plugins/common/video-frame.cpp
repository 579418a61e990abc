#include "video-frame.h"

#include <cmath>

#ifdef HAVE_GST_CUDA
#include <gst/cuda/gstcudamemory.h>
#endif

namespace fer {

void add_video_pads(GstElementClass* klass) {
  static GstStaticPadTemplate sink = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                                                             GST_STATIC_CAPS(FER_VIDEO_CAPS));
  static GstStaticPadTemplate src =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(FER_VIDEO_CAPS));
  gst_element_class_add_static_pad_template(klass, &sink);
  gst_element_class_add_static_pad_template(klass, &src);
}

void add_overlaid_video_pads(GstElementClass* klass) {
  static GstStaticPadTemplate sink =
      GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                              GST_STATIC_CAPS(FER_VIDEO_CAPS ";" FER_OVERLAID_VIDEO_CAPS));
  static GstStaticPadTemplate src =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                              GST_STATIC_CAPS(FER_VIDEO_CAPS ";" FER_OVERLAID_VIDEO_CAPS));
  gst_element_class_add_static_pad_template(klass, &sink);
  gst_element_class_add_static_pad_template(klass, &src);
}

std::optional<GstVideoInfo> raw_video_info(gpointer element, const GstCaps* caps) {
  GstVideoInfo info;
  if (gst_video_info_from_caps(&info, caps)) return info;
  GST_ERROR_OBJECT(element, "%" GST_PTR_FORMAT " is no raw video", caps);
  return std::nullopt;
}

std::optional<PixelFormat> pixel_format(GstVideoFormat format) {
  switch (format) {
    case GST_VIDEO_FORMAT_GRAY8:
      return PixelFormat::kGray8;
    case GST_VIDEO_FORMAT_NV12:
      return PixelFormat::kNv12;
    case GST_VIDEO_FORMAT_I420:
      return PixelFormat::kI420;
    case GST_VIDEO_FORMAT_RGB:
      return PixelFormat::kRgb;
    case GST_VIDEO_FORMAT_BGR:
      return PixelFormat::kBgr;
    case GST_VIDEO_FORMAT_RGBx:
      return PixelFormat::kRgbx;
    case GST_VIDEO_FORMAT_BGRx:
      return PixelFormat::kBgrx;
    case GST_VIDEO_FORMAT_xRGB:
      return PixelFormat::kXrgb;
    case GST_VIDEO_FORMAT_xBGR:
      return PixelFormat::kXbgr;
    case GST_VIDEO_FORMAT_RGBA:
      return PixelFormat::kRgba;
    case GST_VIDEO_FORMAT_BGRA:
      return PixelFormat::kBgra;
    case GST_VIDEO_FORMAT_ARGB:
      return PixelFormat::kArgb;
    case GST_VIDEO_FORMAT_ABGR:
      return PixelFormat::kAbgr;
    case GST_VIDEO_FORMAT_NV21:
      return PixelFormat::kNv21;
    case GST_VIDEO_FORMAT_YV12:
      return PixelFormat::kYv12;
    case GST_VIDEO_FORMAT_YUY2:
      return PixelFormat::kYuy2;
    case GST_VIDEO_FORMAT_UYVY:
      return PixelFormat::kUyvy;
    case GST_VIDEO_FORMAT_Y42B:
      return PixelFormat::kY42b;
    case GST_VIDEO_FORMAT_Y444:
      return PixelFormat::kY444;
    case GST_VIDEO_FORMAT_P010_10LE:
      return PixelFormat::kP010;
    case GST_VIDEO_FORMAT_I420_10LE:
      return PixelFormat::kI42010;
    default:
      return std::nullopt;
  }
}

double pixel_aspect_of(const GstVideoInfo& info) {
  const gint width = GST_VIDEO_INFO_PAR_N(&info), height = GST_VIDEO_INFO_PAR_D(&info);
  return width > 0 && height > 0 ? static_cast<double>(width) / height : 1;
}

FrameGeometry geometry_of(const GstVideoInfo& info, Orientation orientation) {
  return {GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info), pixel_aspect_of(info),
          orientation};
}

bool same_shape(const GstVideoInfo& a, const GstVideoInfo& b) {
  const ShownSize first = shown_size(geometry_of(a)), second = shown_size(geometry_of(b));
  // Sides are rounded to whole pixels, and to even ones by encoders.
  const double ratio = first.width * second.height / (first.height * second.width);
  return std::abs(ratio - 1) < 0.02;
}

GstClockTime frame_duration(const GstVideoInfo& info) {
  const gint n = GST_VIDEO_INFO_FPS_N(&info), d = GST_VIDEO_INFO_FPS_D(&info);
  return n > 0 && d > 0 ? gst_util_uint64_scale_int(GST_SECOND, d, n) : 0;
}

FrameView view_of(const GstVideoFrame& frame) {
  FrameView view;
  // A frame with another format has no business here; the empty view makes the library throw.
  const std::optional<PixelFormat> format = pixel_format(GST_VIDEO_FRAME_FORMAT(&frame));
  if (!format) return view;
  view.format = *format;
  view.width = GST_VIDEO_FRAME_WIDTH(&frame);
  view.height = GST_VIDEO_FRAME_HEIGHT(&frame);
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(&frame); ++plane) {
    view.data[plane] = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, plane));
    view.stride[plane] = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, plane);
  }
  // GStreamer takes YUV without colorimetry for 16 to 235, grey and RGB for 0 to 255.
  view.full_range = frame.info.colorimetry.range != GST_VIDEO_COLOR_RANGE_16_235;
  view.pixel_aspect = pixel_aspect_of(frame.info);
  return view;
}

MappedFrame::MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags access,
                         FrameMemory* memory)
    : memory_(memory) {
  // Without a reference: to take one would make the buffer unwritable for as long as it is mapped.
  auto flags = static_cast<guint>(access) | GST_VIDEO_FRAME_MAP_FLAG_NO_REF;
#ifdef HAVE_GST_CUDA
  if (memory) flags |= static_cast<guint>(GST_MAP_CUDA);
#endif
  mapped_ = gst_video_frame_map(&frame_, &info, buffer, static_cast<GstMapFlags>(flags)) == TRUE;
}

FrameView MappedFrame::view(Orientation orientation) const {
  FrameView view = view_of(frame_);
  view.orientation = orientation;
  view.memory = memory_;
  return view;
}

MappedFrame::~MappedFrame() {
  if (mapped_) gst_video_frame_unmap(&frame_);
}

}  // namespace fer
