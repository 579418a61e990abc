#include "overlay-frame-canvas.h"

#include <algorithm>

namespace fer {

using kernels::alpha_over;
using kernels::mean_of_pixels;
using kernels::over_255;
using kernels::share_over;

namespace {

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

void FrameCanvas::draw(const Part& part) {
  for (const Plane& plane : planes()) blend_plane(plane, part);
}

void FrameCanvas::blend_plane(const Plane& plane, const Part& part) {
  const int x = part.rect.x / plane.columns, y = part.rect.y / plane.rows;
  const int columns = (part.rect.right() + plane.columns - 1) / plane.columns - x;
  const int rows = (part.rect.bottom() + plane.rows - 1) / plane.rows - y;
  alpha_row_.resize(static_cast<std::size_t>(columns));
  value_bytes_.resize(static_cast<std::size_t>(columns * plane.step));
  for (int c = 0; c < plane.step; ++c) {
    const int component = plane.component_at[c];
    const auto value = static_cast<std::uint8_t>(
        component < 0 ? 0 : part.values[static_cast<std::size_t>(component)]);
    for (int i = 0; i < columns; ++i) {
      value_bytes_[static_cast<std::size_t>(i * plane.step + c)] = value;
    }
  }
  for (int row = 0; row < rows; ++row) {
    const std::uint8_t* alphas = alpha_row_.data();
    // Rows of an even shape are all alike, but for the chroma of its first and last.
    const bool alike = part.shape.stride == 0 && row >= 2 && row + 1 < rows;
    if (plane.subsampled) {
      if (!alike) mean_coverage(plane, part, y + row);
    } else if (part.alpha == 255) {
      alphas = part.shape.data + row * part.shape.stride;
    } else if (!alike) {
      scale_bytes(part.shape.data + row * part.shape.stride, part.alpha, alpha_row_.data(),
                  columns);
    }
    if (plane.component_bytes == 2) {
      blend_words(plane, part, x, y + row, alphas, columns);
    } else {
      blend_row(plane, x, y + row, alphas, columns);
    }
  }
}

/// Leaves in alpha_row_ what a row of chroma samples takes: the mean over the pixels of each.
void FrameCanvas::mean_coverage(const Plane& plane, const Part& part, int row) {
  const Rect& rect = part.rect;
  const int first = rect.x / 2, columns = static_cast<int>(alpha_row_.size());
  // Of the pixels under a sample, those at an odd border are not in the frame.
  const int first_row = plane.rows * row;
  const int rows_in_frame = std::min(plane.rows, stored_height() - first_row);
  sums_.assign(static_cast<std::size_t>(columns), 0);
  for (int y = std::max(first_row, rect.y); y < std::min(first_row + plane.rows, rect.bottom());
       ++y) {
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
        static_cast<std::uint8_t>(over_255(static_cast<std::uint16_t>(mean * part.alpha)));
  }
  const bool last_is_narrow =
      stored_width() % 2 == 1 && first + columns == (stored_width() + 1) / 2;
  if (last_is_narrow) {
    const unsigned pixels = static_cast<unsigned>(rows_in_frame);
    const unsigned mean = mean_of_pixels(sums_.back(), pixels);
    alpha_row_.back() =
        static_cast<std::uint8_t>(over_255(static_cast<std::uint16_t>(mean * part.alpha)));
  }
}

void FrameCanvas::blend_row(const Plane& plane, int x, int y, const std::uint8_t* alpha,
                            int count) {
  std::uint8_t* bytes = plane.data + y * plane.stride + x * plane.step;
  if (alpha_offset() >= 0) alpha = over_alpha(alpha, x, y, count);
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

/// The same in words of 16 bits.
void FrameCanvas::blend_words(const Plane& plane, const Part& part, int x, int y,
                              const std::uint8_t* alpha, int count) {
  std::uint8_t* row = plane.data + static_cast<std::ptrdiff_t>(y) * plane.stride +
                      static_cast<std::ptrdiff_t>(x) * plane.step;
  for (int c = 0; c < plane.step; c += 2) {
    const int component = plane.component_at[c];
    if (component < 0) continue;
    const unsigned value = part.values[static_cast<std::size_t>(component)];
    for (int i = 0; i < count; ++i) {
      std::uint8_t* at = row + i * plane.step + c;
      const unsigned below = at[0] | (at[1] << 8);
      // Below bits that the format does not use stay zero: both values are multiples of theirs.
      const unsigned mixed = (below * (255u - alpha[i]) + value * alpha[i] + 127) / 255;
      at[0] = static_cast<std::uint8_t>(mixed);
      at[1] = static_cast<std::uint8_t>(mixed >> 8);
    }
  }
}

/// For formats with alpha, "over" onto a pixel that may be transparent: updates the frame's alpha
/// and returns by how much its colours move.
const std::uint8_t* FrameCanvas::over_alpha(const std::uint8_t* alpha, int x, int y, int count) {
  over_row_.resize(static_cast<std::size_t>(count));
  const Plane& plane = planes().front();
  std::uint8_t* below = plane.data + y * plane.stride + x * plane.step + alpha_offset();
  for (int i = 0; i < count; ++i, below += plane.step) {
    const unsigned both = alpha_over(alpha[i], *below);
    over_row_[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(share_over(alpha[i], both));
    *below = static_cast<std::uint8_t>(both);
  }
  return over_row_.data();
}

}  // namespace fer
