#include "overlay-canvas.h"

#include <algorithm>
#include <cmath>

namespace fer {

Argb faded(Argb colour, double share) {
  const auto alpha = static_cast<Argb>(std::lround((colour >> 24) * std::clamp(share, 0., 1.)));
  return (alpha << 24) | (colour & 0xffffff);
}

Canvas::Canvas(const GstVideoFrame& frame) : rgb_(GST_VIDEO_INFO_IS_RGB(&frame.info)) {
  planes_.width = GST_VIDEO_FRAME_WIDTH(&frame);
  planes_.height = GST_VIDEO_FRAME_HEIGHT(&frame);
  planes_.plane_count = static_cast<int>(GST_VIDEO_FRAME_N_PLANES(&frame));
  const GstVideoFormatInfo* format = frame.info.finfo;
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS(&frame); ++i) {
    const guint number = GST_VIDEO_FORMAT_INFO_PLANE(format, i);
    const auto offset = GST_VIDEO_FORMAT_INFO_POFFSET(format, i);
    kernels::CanvasPlane& plane = planes_.planes[number];
    plane.data = static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, number));
    plane.stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, number);
    plane.step = GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, i);
    plane.subsampled = GST_VIDEO_FORMAT_INFO_W_SUB(format, i) > 0;
    if (i == GST_VIDEO_COMP_A) {
      planes_.alpha_offset = static_cast<int>(offset);
    } else {
      plane.component_at[offset] = static_cast<signed char>(i);
    }
  }

  const GstVideoColorimetry& colorimetry = frame.info.colorimetry;
  gst_video_color_matrix_get_Kr_Kb(colorimetry.matrix, &kr_, &kb_);  // else they stay BT.601's
  GstVideoColorRange range = colorimetry.range;
  if (range == GST_VIDEO_COLOR_RANGE_UNKNOWN) {
    range = GST_VIDEO_INFO_IS_YUV(&frame.info) ? GST_VIDEO_COLOR_RANGE_16_235
                                               : GST_VIDEO_COLOR_RANGE_0_255;
  }
  gst_video_color_range_offsets(range, format, offset_.data(), scale_.data());
}

std::array<std::uint8_t, 3> Canvas::values_of(Argb colour) const {
  const double r = ((colour >> 16) & 255) / 255., g = ((colour >> 8) & 255) / 255.,
               b = (colour & 255) / 255.;
  std::array<double, 3> shares{r, g, b};
  if (!rgb_) {
    const double luma = kr_ * r + (1 - kr_ - kb_) * g + kb_ * b;
    shares = {luma, (b - luma) / (2 * (1 - kb_)), (r - luma) / (2 * (1 - kr_))};
  }
  std::array<std::uint8_t, 3> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::uint8_t>(
        std::clamp(std::lround(offset_[i] + scale_[i] * shares[i]), 0L, 255L));
  }
  return values;
}

void Canvas::blend(const Coverage& shape, int x, int y, Argb colour) {
  const auto alpha = static_cast<std::uint8_t>(colour >> 24);
  const int left = std::max(x, 0), top = std::max(y, 0);
  const int right = std::min(x + shape.width, width());
  const int bottom = std::min(y + shape.height, height());
  if (alpha == 0 || left >= right || top >= bottom) return;
  const Rect rect{left, top, right - left, bottom - top};
  draw({rect, shape.part(left - x, top - y, rect.w, rect.h), alpha, values_of(colour)});
}

void Canvas::fill(const Rect& rect, Argb colour) {
  if (rect.w <= 0 || rect.h <= 0) return;
  // No more than the frame's width of it is ever looked at.
  const int left = std::max(rect.x, 0), covered = std::min(rect.right(), width()) - left;
  if (covered <= 0) return;
  full_row_.resize(static_cast<std::size_t>(width()), 255);
  blend({full_row_.data(), 0, covered, rect.h}, left, rect.y, colour);
}

}  // namespace fer
