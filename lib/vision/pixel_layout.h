// How the bytes of each raw format lie. No OpenCV in it: the kernels read frames too.
#pragma once

#include <stdexcept>

#include "vision/frame.h"

namespace fer {

/// YUV has its luma in plane 0, RGB has all in one plane.
struct PixelLayout {
  int bytes = 1;                        ///< Bytes a pixel in plane 0.
  int red = -1, green = -1, blue = -1;  ///< Offsets in an RGB pixel; -1 where it is not RGB.
};

/// Throws std::invalid_argument for a format that there is not.
inline PixelLayout layout_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::kGray8:
    case PixelFormat::kNv12:
    case PixelFormat::kI420:
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
