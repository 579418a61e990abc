#include "overlay-canvas.h"

#include <algorithm>
#include <cmath>

namespace fer {
namespace {

/// value / 255, rounded; exact for all products of two bytes. In 16 bits, of which a vector
/// register holds many.
constexpr std::uint16_t over_255(std::uint16_t value) {
  const auto raised = static_cast<std::uint16_t>(value + 128);
  return static_cast<std::uint16_t>(static_cast<std::uint16_t>(raised + (raised >> 8)) >> 8);
}

/// Alpha 0 keeps what is there and 255 gives the new value, both to the bit.
void blend_bytes(std::uint8_t* __restrict bytes, const std::uint8_t* __restrict alpha,
                 const std::uint8_t* __restrict values, int count) {
  for (int i = 0; i < count; ++i) {
    const auto kept = static_cast<std::uint16_t>(bytes[i] * (255 - alpha[i]));
    const auto added = static_cast<std::uint16_t>(values[i] * alpha[i]);
    bytes[i] = static_cast<std::uint8_t>(over_255(static_cast<std::uint16_t>(kept + added)));
  }
}

void scale_bytes(const std::uint8_t* __restrict from, std::uint16_t alpha,
                 std::uint8_t* __restrict to, int count) {
  for (int i = 0; i < count; ++i) {
    to[i] = static_cast<std::uint8_t>(over_255(static_cast<std::uint16_t>(from[i] * alpha)));
  }
}

/// One alpha a sample as one alpha a byte, where `used` is 255, and 0 where it is 0.
template <int kStep>
void spread(const std::uint8_t* __restrict alpha, const std::array<std::uint8_t, 4>& used,
            std::uint8_t* __restrict bytes, int count) {
  for (int i = 0; i < count; ++i) {
    for (int c = 0; c < kStep; ++c) bytes[i * kStep + c] = alpha[i] & used[c];
  }
}

}  // namespace

Argb faded(Argb colour, double share) {
  const auto alpha = static_cast<Argb>(std::lround((colour >> 24) * std::clamp(share, 0., 1.)));
  return (alpha << 24) | (colour & 0xffffff);
}

Canvas::Canvas(GstVideoFrame& frame)
    : width_(GST_VIDEO_FRAME_WIDTH(&frame)),
      height_(GST_VIDEO_FRAME_HEIGHT(&frame)),
      plane_count_(static_cast<int>(GST_VIDEO_FRAME_N_PLANES(&frame))),
      rgb_(GST_VIDEO_INFO_IS_RGB(&frame.info)) {
  const GstVideoFormatInfo* format = frame.info.finfo;
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS(&frame); ++i) {
    const guint number = GST_VIDEO_FORMAT_INFO_PLANE(format, i);
    const auto offset = GST_VIDEO_FORMAT_INFO_POFFSET(format, i);
    Plane& plane = planes_[number];
    plane.data = static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, number));
    plane.stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, number);
    plane.step = GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, i);
    plane.subsampled = GST_VIDEO_FORMAT_INFO_W_SUB(format, i) > 0;
    if (i == GST_VIDEO_COMP_A) {
      alpha_offset_ = static_cast<int>(offset);
    } else {
      plane.component_at[offset] = static_cast<int>(i);
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
  const unsigned alpha = colour >> 24;
  const int left = std::max(x, 0), top = std::max(y, 0);
  const int right = std::min(x + shape.width, width_), bottom = std::min(y + shape.height, height_);
  if (alpha == 0 || left >= right || top >= bottom) return;
  const Rect rect{left, top, right - left, bottom - top};
  const Clipped part{rect, shape.part(left - x, top - y, rect.w, rect.h)};
  const auto values = values_of(colour);
  for (int i = 0; i < plane_count_; ++i) {
    blend_plane(planes_[static_cast<std::size_t>(i)], part, alpha, values);
  }
}

void Canvas::fill(const Rect& rect, Argb colour) {
  if (rect.w <= 0 || rect.h <= 0) return;
  // No more than the frame's width of it is ever looked at.
  const int left = std::max(rect.x, 0), width = std::min(rect.right(), width_) - left;
  if (width <= 0) return;
  full_row_.resize(static_cast<std::size_t>(width_), 255);
  blend({full_row_.data(), 0, width, rect.h}, left, rect.y, colour);
}

void Canvas::blend_plane(const Plane& plane, const Clipped& part, unsigned alpha,
                         const std::array<std::uint8_t, 3>& values) {
  const int sub = plane.subsampled ? 2 : 1;
  const int x = part.rect.x / sub, y = part.rect.y / sub;
  const int columns = (part.rect.right() + sub - 1) / sub - x;
  const int rows = (part.rect.bottom() + sub - 1) / sub - y;
  alpha_row_.resize(static_cast<std::size_t>(columns));
  value_bytes_.resize(static_cast<std::size_t>(columns * plane.step));
  for (int c = 0; c < plane.step; ++c) {
    const int component = plane.component_at[static_cast<std::size_t>(c)];
    const std::uint8_t value = component < 0 ? 0 : values[static_cast<std::size_t>(component)];
    for (int i = 0; i < columns; ++i) {
      value_bytes_[static_cast<std::size_t>(i * plane.step + c)] = value;
    }
  }
  for (int row = 0; row < rows; ++row) {
    const std::uint8_t* alphas = alpha_row_.data();
    // Rows of an even shape are all alike, but for the chroma of its first and last.
    const bool alike = part.shape.stride == 0 && row >= 2 && row + 1 < rows;
    if (plane.subsampled) {
      if (!alike) mean_coverage(part, y + row, alpha);
    } else if (alpha == 255) {
      alphas = part.shape.data + row * part.shape.stride;
    } else if (!alike) {
      scale_bytes(part.shape.data + row * part.shape.stride, static_cast<std::uint16_t>(alpha),
                  alpha_row_.data(), columns);
    }
    blend_row(plane, x, y + row, alphas, columns);
  }
}

/// Leaves in alpha_row_ what a row of chroma samples takes: the mean over the pixels of each.
void Canvas::mean_coverage(const Clipped& part, int row, unsigned alpha) {
  const Rect& rect = part.rect;
  const int first = rect.x / 2, columns = static_cast<int>(alpha_row_.size());
  // Of the two by two pixels under a sample, those at an odd border are not in the frame.
  const int rows_in_frame = std::min(2, height_ - 2 * row);
  sums_.assign(static_cast<std::size_t>(columns), 0);
  for (int y = std::max(2 * row, rect.y); y < std::min(2 * row + 2, rect.bottom()); ++y) {
    const std::uint8_t* covered = part.shape.data + (y - rect.y) * part.shape.stride;
    std::uint16_t* sums = sums_.data();
    int left = rect.w;
    if (rect.x % 2 == 1) *sums++ += *covered++, --left;
    for (int i = 0; i < left / 2; ++i) {
      sums[i] = static_cast<std::uint16_t>(sums[i] + covered[2 * i] + covered[2 * i + 1]);
    }
    if (left % 2 == 1) sums[left / 2] += covered[left - 1];
  }
  const int shift = rows_in_frame == 2 ? 2 : 1, half = 1 << (shift - 1);
  for (int i = 0; i < columns; ++i) {
    const auto mean =
        static_cast<std::uint16_t>((sums_[static_cast<std::size_t>(i)] + half) >> shift);
    alpha_row_[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(over_255(static_cast<std::uint16_t>(mean * alpha)));
  }
  const bool last_is_narrow = width_ % 2 == 1 && first + columns == (width_ + 1) / 2;
  if (last_is_narrow) {
    const unsigned pixels = static_cast<unsigned>(rows_in_frame);
    const unsigned mean = (sums_.back() + pixels / 2) / pixels;
    alpha_row_.back() =
        static_cast<std::uint8_t>(over_255(static_cast<std::uint16_t>(mean * alpha)));
  }
}

void Canvas::blend_row(const Plane& plane, int x, int y, const std::uint8_t* alpha, int count) {
  std::uint8_t* bytes = plane.data + y * plane.stride + x * plane.step;
  if (alpha_offset_ >= 0) alpha = over_alpha(alpha, x, y, count);
  if (plane.step > 1) {
    std::array<std::uint8_t, 4> used{};
    for (std::size_t i = 0; i < used.size(); ++i) used[i] = plane.component_at[i] < 0 ? 0 : 255;
    alpha_bytes_.resize(static_cast<std::size_t>(count * plane.step));
    switch (plane.step) {
      case 2:
        spread<2>(alpha, used, alpha_bytes_.data(), count);
        break;
      case 3:
        spread<3>(alpha, used, alpha_bytes_.data(), count);
        break;
      default:
        spread<4>(alpha, used, alpha_bytes_.data(), count);
    }
    alpha = alpha_bytes_.data();
  }
  blend_bytes(bytes, alpha, value_bytes_.data(), count * plane.step);
}

/// For formats with alpha, "over" onto a pixel that may be transparent: updates the frame's alpha
/// and returns by how much its colours move.
const std::uint8_t* Canvas::over_alpha(const std::uint8_t* alpha, int x, int y, int count) {
  over_row_.resize(static_cast<std::size_t>(count));
  const Plane& plane = planes_[0];
  std::uint8_t* below = plane.data + y * plane.stride + x * plane.step + alpha_offset_;
  for (int i = 0; i < count; ++i, below += plane.step) {
    const unsigned above = alpha[i];
    const unsigned both = above + over_255(static_cast<std::uint16_t>(*below * (255 - above)));
    over_row_[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(both == 0 ? 0 : (above * 255 + both / 2) / both);
    *below = static_cast<std::uint8_t>(both);
  }
  return over_row_.data();
}

}  // namespace fer
