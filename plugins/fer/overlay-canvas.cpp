#include "overlay-canvas.h"

#include <algorithm>
#include <cmath>

namespace fer {
namespace {

/// value / 255, rounded; exact for all products of two bytes.
constexpr unsigned over_255(unsigned value) {
  return ((value + 128) * 257) >> 16;
}

/// Alpha 0 keeps what is there and 255 gives the new value, both to the bit.
template <int kStep>
void blend_samples(std::uint8_t* samples, const std::uint8_t* alpha, unsigned value, int count) {
  for (int i = 0; i < count; ++i) {
    const unsigned a = alpha[i];
    samples[i * kStep] =
        static_cast<std::uint8_t>(over_255(samples[i * kStep] * (255 - a) + value * a));
  }
}

void blend_samples(std::uint8_t* samples, int step, const std::uint8_t* alpha, unsigned value,
                   int count) {
  switch (step) {
    case 1:
      return blend_samples<1>(samples, alpha, value, count);
    case 2:
      return blend_samples<2>(samples, alpha, value, count);
    case 3:
      return blend_samples<3>(samples, alpha, value, count);
    default:
      return blend_samples<4>(samples, alpha, value, count);
  }
}

void scale_row(const std::uint8_t* from, unsigned alpha, std::uint8_t* to, int count) {
  for (int i = 0; i < count; ++i) to[i] = static_cast<std::uint8_t>(over_255(from[i] * alpha));
}

}  // namespace

Argb faded(Argb colour, double share) {
  const auto alpha = static_cast<Argb>(std::lround((colour >> 24) * std::clamp(share, 0., 1.)));
  return (alpha << 24) | (colour & 0xffffff);
}

Canvas::Canvas(GstVideoFrame& frame)
    : width_(GST_VIDEO_FRAME_WIDTH(&frame)),
      height_(GST_VIDEO_FRAME_HEIGHT(&frame)),
      component_count_(std::min(3, static_cast<int>(GST_VIDEO_FRAME_N_COMPONENTS(&frame)))),
      rgb_(GST_VIDEO_INFO_IS_RGB(&frame.info)) {
  const GstVideoFormatInfo* format = frame.info.finfo;
  const auto component = [&](guint index) {
    return Component{static_cast<std::uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, index)),
                     GST_VIDEO_FRAME_COMP_STRIDE(&frame, index),
                     GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, index),
                     GST_VIDEO_FORMAT_INFO_W_SUB(format, index) > 0};
  };
  for (int i = 0; i < component_count_; ++i) components_[i] = component(static_cast<guint>(i));
  if (GST_VIDEO_FORMAT_INFO_HAS_ALPHA(format)) alpha_ = component(GST_VIDEO_COMP_A);

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
  const unsigned alpha = colour >> 24;
  const int left = std::max(x, 0), top = std::max(y, 0);
  const int right = std::min(x + shape.width, width_), bottom = std::min(y + shape.height, height_);
  if (alpha == 0 || left >= right || top >= bottom) return;
  const Rect rect{left, top, right - left, bottom - top};
  const Clipped part{rect, shape.part(left - x, top - y, rect.w, rect.h)};
  const auto values = values_of(colour);
  row_.resize(static_cast<std::size_t>(width_));
  blend_full(part, values, alpha);
  if (component_count_ > 1 && components_[1].subsampled) blend_subsampled(part, values, alpha);
}

void Canvas::fill(const Rect& rect, Argb colour) {
  if (rect.w <= 0 || rect.h <= 0) return;
  // No more than the frame's width of it is ever looked at.
  const int left = std::max(rect.x, 0), width = std::min(rect.right(), width_) - left;
  if (width <= 0) return;
  full_row_.resize(static_cast<std::size_t>(width_), 255);
  blend({full_row_.data(), 0, width, rect.h}, left, rect.y, colour);
}

/// For formats with alpha, "over" onto a pixel that may be transparent: updates the frame's alpha
/// and returns by how much its colours move.
const std::uint8_t* Canvas::over_alpha(const std::uint8_t* alpha, int x, int y, int width) {
  over_row_.resize(static_cast<std::size_t>(width_));
  std::uint8_t* below = alpha_.data + y * alpha_.stride + x * alpha_.step;
  for (int i = 0; i < width; ++i, below += alpha_.step) {
    const unsigned above = alpha[i], both = above + over_255(*below * (255 - above));
    over_row_[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(both == 0 ? 0 : (above * 255 + both / 2) / both);
    *below = static_cast<std::uint8_t>(both);
  }
  return over_row_.data();
}

void Canvas::blend_full(const Clipped& part, const std::array<std::uint8_t, 3>& values,
                        unsigned alpha) {
  const Rect& rect = part.rect;
  for (int y = 0; y < rect.h; ++y) {
    const std::uint8_t* row = part.shape.data + y * part.shape.stride;
    if (alpha < 255) {
      if (y == 0 || part.shape.stride != 0) scale_row(row, alpha, row_.data(), rect.w);
      row = row_.data();
    }
    if (alpha_.data != nullptr) row = over_alpha(row, rect.x, rect.y + y, rect.w);
    for (int i = 0; i < component_count_; ++i) {
      const Component& component = components_[static_cast<std::size_t>(i)];
      if (component.subsampled) continue;
      blend_samples(component.data + (rect.y + y) * component.stride + rect.x * component.step,
                    component.step, row, values[static_cast<std::size_t>(i)], rect.w);
    }
  }
}

void Canvas::blend_subsampled(const Clipped& part, const std::array<std::uint8_t, 3>& values,
                              unsigned alpha) {
  const Rect& rect = part.rect;
  const int first_column = rect.x / 2, first_row = rect.y / 2;
  const int columns = (rect.right() + 1) / 2 - first_column;
  sums_.resize(static_cast<std::size_t>(columns));
  for (int row = first_row; row < (rect.bottom() + 1) / 2; ++row) {
    // Of the two by two pixels under a sample, those at an odd border are not in the frame.
    const int rows_in_frame = std::min(2, height_ - 2 * row);
    std::fill(sums_.begin(), sums_.end(), 0u);
    for (int y = std::max(2 * row, rect.y); y < std::min(2 * row + 2, rect.bottom()); ++y) {
      const std::uint8_t* covered = part.shape.data + (y - rect.y) * part.shape.stride;
      int x = rect.x;
      unsigned* sum = sums_.data();
      if (x % 2 == 1) *sum++ += *covered++, ++x;
      for (; x + 1 < rect.right(); x += 2, covered += 2) *sum++ += covered[0] + covered[1];
      if (x < rect.right()) *sum += *covered;
    }
    for (int i = 0; i < columns; ++i) {
      const int columns_in_frame = std::min(2, width_ - 2 * (first_column + i));
      const auto pixels = static_cast<unsigned>(rows_in_frame * columns_in_frame);
      const unsigned covered = sums_[static_cast<std::size_t>(i)];
      row_[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(
          over_255((pixels == 4 ? (covered + 2) / 4 : (covered + pixels / 2) / pixels) * alpha));
    }
    for (std::size_t i = 1; i < 3; ++i) {
      const Component& component = components_[i];
      blend_samples(component.data + row * component.stride + first_column * component.step,
                    component.step, row_.data(), values[i], columns);
    }
  }
}

}  // namespace fer
