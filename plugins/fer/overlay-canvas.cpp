#include "overlay-canvas.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "video-frame.h"
#include "vision/turn_picture.h"

namespace fer {

Argb faded(Argb colour, double share) {
  const auto alpha = static_cast<Argb>(std::lround((colour >> 24) * std::clamp(share, 0., 1.)));
  return (alpha << 24) | (colour & 0xffffff);
}

int component_offset(const GstVideoFormatInfo& format, guint component) {
  const auto offset = static_cast<int>(GST_VIDEO_FORMAT_INFO_POFFSET(&format, component));
  return GST_VIDEO_FORMAT_INFO_DEPTH(&format, component) > 8 ? (offset + 1) / 2 * 2 : offset;
}

Canvas::Canvas(const GstVideoFrame& frame, Orientation orientation)
    : orientation_(orientation), rgb_(GST_VIDEO_INFO_IS_RGB(&frame.info)) {
  const FrameGeometry geometry = geometry_of(frame.info, orientation);
  const ShownSize shown = shown_size(geometry);
  stored_ = {0, 0, geometry.width, geometry.height};
  shown_ = {static_cast<int>(std::lround(shown.width)),
            static_cast<int>(std::lround(shown.height))};
  as_stored_ = orientation == Orientation::kIdentity && shown_.width == stored_.w &&
               shown_.height == stored_.h;
  to_stored_ = inverse_of(stored_to_shown(geometry));
  const GstVideoFormatInfo* format = frame.info.finfo;
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS(&frame); ++i) add_component(frame, i);
  largest_ = (1 << GST_VIDEO_FORMAT_INFO_DEPTH(format, 0)) - 1;
  shift_ = static_cast<int>(GST_VIDEO_FORMAT_INFO_SHIFT(format, 0));
  if (GST_VIDEO_FORMAT_INFO_DEPTH(format, 0) == 8) shift_ = 0;

  const GstVideoColorimetry& colorimetry = frame.info.colorimetry;
  gst_video_color_matrix_get_Kr_Kb(colorimetry.matrix, &kr_, &kb_);  // else they stay BT.601's
  GstVideoColorRange range = colorimetry.range;
  if (range == GST_VIDEO_COLOR_RANGE_UNKNOWN) {
    range = GST_VIDEO_INFO_IS_YUV(&frame.info) ? GST_VIDEO_COLOR_RANGE_16_235
                                               : GST_VIDEO_COLOR_RANGE_0_255;
  }
  gst_video_color_range_offsets(range, format, offset_.data(), scale_.data());
}

/// Notes where the component lies: with others whose samples lie beside its own, or alone.
void Canvas::add_component(const GstVideoFrame& frame, guint component) {
  const GstVideoFormatInfo* format = frame.info.finfo;
  const guint number = GST_VIDEO_FORMAT_INFO_PLANE(format, component);
  const int offset = component_offset(*format, component);
  Plane plane;
  plane.data = static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, number));
  plane.stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, number);
  plane.step = GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, component);
  plane.columns = 1 << GST_VIDEO_FORMAT_INFO_W_SUB(format, component);
  plane.rows = 1 << GST_VIDEO_FORMAT_INFO_H_SUB(format, component);
  plane.subsampled = plane.columns > 1;
  plane.component_bytes = GST_VIDEO_FORMAT_INFO_DEPTH(format, component) > 8 ? 2 : 1;
  const auto same = std::find_if(planes_.begin(), planes_.end(), [&](const Plane& known) {
    return known.data == plane.data && known.step == plane.step && known.columns == plane.columns;
  });
  Plane& home = same != planes_.end() ? *same : planes_.emplace_back(plane);
  if (component == GST_VIDEO_COMP_A) {
    alpha_offset_ = offset;
  } else {
    home.component_at[offset] = static_cast<signed char>(component);
  }
}

std::array<std::uint16_t, 3> Canvas::values_of(Argb colour) const {
  const double r = ((colour >> 16) & 255) / 255., g = ((colour >> 8) & 255) / 255.,
               b = (colour & 255) / 255.;
  std::array<double, 3> shares{r, g, b};
  if (!rgb_) {
    const double luma = kr_ * r + (1 - kr_ - kb_) * g + kb_ * b;
    shares = {luma, (b - luma) / (2 * (1 - kb_)), (r - luma) / (2 * (1 - kr_))};
  }
  std::array<std::uint16_t, 3> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const long value = std::lround(offset_[i] + scale_[i] * shares[i]);
    values[i] = static_cast<std::uint16_t>(std::clamp(value, 0L, 1L * largest_) << shift_);
  }
  return values;
}

Rect Canvas::stored_rect(const Rect& shown) const {
  const ShownPoint a = moved_by(to_stored_, shown.x, shown.y);
  const ShownPoint b = moved_by(to_stored_, shown.right(), shown.bottom());
  const auto rounded = [](double value) { return static_cast<int>(std::lround(value)); };
  const int left = rounded(std::min(a.x, b.x)), top = rounded(std::min(a.y, b.y));
  return {left, top, std::max(1, rounded(std::max(a.x, b.x)) - left),
          std::max(1, rounded(std::max(a.y, b.y)) - top)};
}

void Canvas::blend(const Coverage& shape, int x, int y, Argb colour) {
  if (as_stored_) {
    draw_stored(shape, x, y, colour);
    return;
  }
  const Rect rect = stored_rect({x, y, shape.width, shape.height});
  const bool swaps = swaps_axes(orientation_);
  const cv::Mat mask(shape.stride == 0 ? 1 : shape.height, shape.width, CV_8UC1,
                     const_cast<std::uint8_t*>(shape.data),
                     shape.stride == 0 ? static_cast<std::size_t>(cv::Mat::AUTO_STEP)
                                       : static_cast<std::size_t>(shape.stride));
  cv::Mat stretched, turned;
  cv::resize(mask, stretched, swaps ? cv::Size(rect.h, rect.w) : cv::Size(rect.w, rect.h), 0, 0,
             cv::INTER_AREA);
  turn_picture(stretched, reversed(orientation_), turned);
  draw_stored({turned.data, static_cast<int>(turned.step), rect.w, rect.h}, rect.x, rect.y, colour);
}

void Canvas::draw_stored(const Coverage& shape, int x, int y, Argb colour) {
  const auto alpha = static_cast<std::uint8_t>(colour >> 24);
  const int left = std::max(x, 0), top = std::max(y, 0);
  const int right = std::min(x + shape.width, stored_.w);
  const int bottom = std::min(y + shape.height, stored_.h);
  if (alpha == 0 || left >= right || top >= bottom) return;
  const Rect rect{left, top, right - left, bottom - top};
  draw({rect, shape.part(left - x, top - y, rect.w, rect.h), alpha, values_of(colour)});
}

void Canvas::fill(const Rect& rect, Argb colour) {
  if (rect.w <= 0 || rect.h <= 0) return;
  const Rect stored = as_stored_ ? rect : stored_rect(rect);
  // No more than the frame's width of it is ever looked at.
  const int left = std::max(stored.x, 0), covered = std::min(stored.right(), stored_.w) - left;
  if (covered <= 0) return;
  full_row_.resize(static_cast<std::size_t>(stored_.w), 255);
  draw_stored({full_row_.data(), 0, covered, stored.h}, left, stored.y, colour);
}

}  // namespace fer
