// Blends single-coloured shapes into a raw frame, in place: what feroverlay draws.
#pragma once

#include <cstddef>
#include <cstdint>

#include "util/host_device.h"

namespace fer::kernels {

/// One plane of a frame to draw into, its samples being one or more bytes long.
struct CanvasPlane {
  std::uint8_t* data = nullptr;
  int stride = 0, step = 0;  ///< Bytes from row to row, from sample to sample.
  bool subsampled = false;   ///< One sample for two by two pixels.
  /// Which component each byte of a sample holds (Y, U, V or R, G, B); -1: none of them.
  signed char component_at[4] = {-1, -1, -1, -1};
};

struct CanvasPlanes {
  CanvasPlane planes[3];
  int plane_count = 0;
  int width = 0, height = 0;  ///< Of the frame, in pixels.
  int alpha_offset = -1;      ///< Of the alpha in a sample of plane 0; -1: the format has none.
};

/// The part of a shape that lies inside the frame.
struct Shape {
  int x, y, width, height;  ///< Pixels of the frame.
  std::size_t coverage;     ///< Where its coverage begins in BlendShapes::coverage.
  int stride;               ///< Bytes from row to row of that; 0: all rows are the first one.
  std::uint8_t alpha;
  std::uint8_t values[3];  ///< The colour as the frame's components.
};

/// One launch. All pointers are to the processor's memory for the CPU form and to the device's for
/// the kernel.
struct BlendShapes {
  CanvasPlanes canvas;
  const Shape* shapes = nullptr;  ///< Drawn in this order.
  int count = 0;
  const std::uint8_t* coverage = nullptr;  ///< 0: nothing of a pixel is covered, 255: all of it.
  /// The rectangle that holds all shapes; no pixel outside is read or written.
  int x = 0, y = 0, width = 0, height = 0;
};

/// Throws std::invalid_argument that names what is missing or out of range. Does not look into the
/// arrays, which may lie on a device.
void check(const BlendShapes& blend);

/// The CPU form, on the calling thread. Throws as check() does.
void blend_shapes(const BlendShapes& blend);

/// value / 255, rounded; exact for all products of two bytes. In 16 bits, since a vector register
/// holds many of them.
FER_HOST_DEVICE constexpr std::uint16_t over_255(std::uint16_t value) {
  const auto raised = static_cast<std::uint16_t>(value + 128);
  return static_cast<std::uint16_t>(static_cast<std::uint16_t>(raised + (raised >> 8)) >> 8);
}

/// An alpha laid over another one.
FER_HOST_DEVICE constexpr unsigned alpha_over(unsigned above, unsigned below) {
  return above + over_255(static_cast<std::uint16_t>(below * (255 - above)));
}
/// By how much the colours move where `both` is what alpha_over() gives.
FER_HOST_DEVICE constexpr unsigned share_over(unsigned above, unsigned both) {
  return both == 0 ? 0 : (above * 255 + both / 2) / both;
}

/// The mean over a sample's pixels; at an odd border some of them lie outside the frame.
FER_HOST_DEVICE constexpr unsigned mean_of_pixels(unsigned sum, unsigned pixels) {
  return (sum + pixels / 2) / pixels;
}

/// The alpha with which a shape covers a sample of a plane.
FER_HOST_DEVICE inline unsigned alpha_at(const BlendShapes& b, const CanvasPlane& plane,
                                         const Shape& shape, int column, int row) {
  const int side = plane.subsampled ? 2 : 1;
  const int left = column * side, top = row * side;
  const int right = left + side < b.canvas.width ? left + side : b.canvas.width;
  const int bottom = top + side < b.canvas.height ? top + side : b.canvas.height;
  const int x0 = left > shape.x ? left : shape.x, y0 = top > shape.y ? top : shape.y;
  const int shape_right = shape.x + shape.width, shape_bottom = shape.y + shape.height;
  const int x1 = right < shape_right ? right : shape_right;
  const int y1 = bottom < shape_bottom ? bottom : shape_bottom;
  if (x0 >= x1 || y0 >= y1) return 0;
  unsigned sum = 0;
  for (int y = y0; y < y1; ++y) {
    const std::uint8_t* covered =
        b.coverage + shape.coverage +
        static_cast<std::size_t>(y - shape.y) * static_cast<std::size_t>(shape.stride);
    for (int x = x0; x < x1; ++x) sum += covered[x - shape.x];
  }
  const unsigned mean = mean_of_pixels(sum, static_cast<unsigned>((right - left) * (bottom - top)));
  return over_255(static_cast<std::uint16_t>(mean * shape.alpha));
}

/// Blends all shapes into one sample of a plane; both forms call it for each sample. Column and row
/// count from the upper left corner of the rectangle.
FER_HOST_DEVICE inline void blend_sample(const BlendShapes& b, int plane_number, int row,
                                         int column) {
  const CanvasPlane& plane = b.canvas.planes[plane_number];
  const int side = plane.subsampled ? 2 : 1;
  column += b.x / side;
  row += b.y / side;
  if (column * side >= b.canvas.width || row * side >= b.canvas.height) return;
  std::uint8_t* bytes = plane.data + static_cast<std::ptrdiff_t>(row) * plane.stride +
                        static_cast<std::ptrdiff_t>(column) * plane.step;
  FER_KEEP_LOOP
  for (int i = 0; i < b.count; ++i) {
    const Shape& shape = b.shapes[i];
    unsigned alpha = alpha_at(b, plane, shape, column, row);
    if (alpha == 0) continue;
    if (plane_number == 0 && b.canvas.alpha_offset >= 0) {
      std::uint8_t& below = bytes[b.canvas.alpha_offset];
      const unsigned both = alpha_over(alpha, below);
      alpha = share_over(alpha, both);
      below = static_cast<std::uint8_t>(both);
    }
    for (int c = 0; c < plane.step; ++c) {
      const int component = plane.component_at[c];
      if (component < 0) continue;
      bytes[c] = static_cast<std::uint8_t>(over_255(
          static_cast<std::uint16_t>(bytes[c] * (255 - alpha) + shape.values[component] * alpha)));
    }
  }
}

/// The largest number of samples that a plane can have in the rectangle.
FER_HOST_DEVICE inline int samples_across(const CanvasPlane& plane, int begin, int length) {
  return plane.subsampled ? (begin + length + 1) / 2 - begin / 2 : length;
}

}  // namespace fer::kernels
