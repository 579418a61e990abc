// The memory layout of each raw format. Free of OpenCV, since the kernels read frames too.
#pragma once

#include <stdexcept>

#include "vision/frame.h"

namespace fer {

/// YUV has its luma in plane 0, RGB has all in one plane. The kernels go by this; they read no
/// format after kAbgr (lies_on_devices()).
struct PixelLayout {
  int bytes = 1;                        ///< Bytes a pixel in plane 0.
  int red = -1, green = -1, blue = -1;  ///< Offsets in an RGB pixel; -1 where it is not RGB.
};

/// Whether the kernels read frames of this format.
constexpr bool lies_on_devices(PixelFormat format) {
  return format <= PixelFormat::kAbgr;
}

/// Where a component's samples lie: every `step`-th of a plane's samples, from `offset` on.
struct ComponentLayout {
  int plane = 0, step = 1, offset = 0;
};

/// Where luma and chroma lie; grey frames have luma only.
struct YuvLayout {
  ComponentLayout y, cb, cr;
  int chroma_columns = 1, chroma_rows = 1;  ///< Pixels across and down a chroma sample.
  int sample_bytes = 1;
  int excess_bits = 0;  ///< Of a sample, little endian, below the eight that are looked at.
};

/// Of a format that is not RGB. Throws std::invalid_argument for others.
inline YuvLayout yuv_layout_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::kGray8:
      return {{0, 1, 0}, {}, {}, 1, 1, 1, 0};
    case PixelFormat::kNv12:
      return {{0, 1, 0}, {1, 2, 0}, {1, 2, 1}, 2, 2, 1, 0};
    case PixelFormat::kNv21:
      return {{0, 1, 0}, {1, 2, 1}, {1, 2, 0}, 2, 2, 1, 0};
    case PixelFormat::kI420:
      return {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}, 2, 2, 1, 0};
    case PixelFormat::kYv12:
      return {{0, 1, 0}, {2, 1, 0}, {1, 1, 0}, 2, 2, 1, 0};
    case PixelFormat::kYuy2:
      return {{0, 2, 0}, {0, 4, 1}, {0, 4, 3}, 2, 1, 1, 0};
    case PixelFormat::kUyvy:
      return {{0, 2, 1}, {0, 4, 0}, {0, 4, 2}, 2, 1, 1, 0};
    case PixelFormat::kY42b:
      return {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}, 2, 1, 1, 0};
    case PixelFormat::kY444:
      return {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}, 1, 1, 1, 0};
    case PixelFormat::kP010:
      return {{0, 1, 0}, {1, 2, 0}, {1, 2, 1}, 2, 2, 2, 8};
    case PixelFormat::kI42010:
      return {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}, 2, 2, 2, 2};
    default:
      throw std::invalid_argument("the frame's pixel format is not YUV");
  }
}

/// Throws std::invalid_argument for a format that there is not.
inline PixelLayout layout_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::kGray8:
    case PixelFormat::kNv12:
    case PixelFormat::kI420:
    case PixelFormat::kNv21:
    case PixelFormat::kYv12:
    case PixelFormat::kYuy2:
    case PixelFormat::kUyvy:
    case PixelFormat::kY42b:
    case PixelFormat::kY444:
    case PixelFormat::kP010:
    case PixelFormat::kI42010:
      return {1, -1, -1, -1};
    case PixelFormat::kRgb:
      return {3, 0, 1, 2};
    case PixelFormat::kBgr:
      return {3, 2, 1, 0};
    case PixelFormat::kRgbx:
    case PixelFormat::kRgba:
      return {4, 0, 1, 2};
    case PixelFormat::kBgrx:
    case PixelFormat::kBgra:
      return {4, 2, 1, 0};
    case PixelFormat::kXrgb:
    case PixelFormat::kArgb:
      return {4, 1, 2, 3};
    case PixelFormat::kXbgr:
    case PixelFormat::kAbgr:
      return {4, 3, 2, 1};
  }
  throw std::invalid_argument("the frame's pixel format is unknown");
}

}  // namespace fer
