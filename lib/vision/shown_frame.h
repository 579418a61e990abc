// From a frame as it is stored to the picture that people are meant to see: upright, in square
// pixels. Faces are found, followed and measured in the shown picture. No OpenCV in it.
#pragma once

#include <cmath>

#include "vision/crop_plan.h"
#include "vision/frame.h"

namespace fer {

/// A frame's size and how it is to be seen, without its pixels.
struct FrameGeometry {
  int width = 0, height = 0;  ///< As stored, in pixels.
  double pixel_aspect = 1;    ///< Width of a stored pixel over its height.
  Orientation orientation = Orientation::kIdentity;
};

inline FrameGeometry geometry_of(const FrameView& frame) {
  return {frame.width, frame.height, frame.pixel_aspect, frame.orientation};
}

/// Whether the turn makes rows of columns.
constexpr bool swaps_axes(Orientation orientation) {
  return orientation == Orientation::k90Right || orientation == Orientation::k90Left ||
         orientation == Orientation::kTranspose || orientation == Orientation::kTransverse;
}

/// The turn that takes `orientation` back.
constexpr Orientation reversed(Orientation orientation) {
  if (orientation == Orientation::k90Right) return Orientation::k90Left;
  if (orientation == Orientation::k90Left) return Orientation::k90Right;
  return orientation;
}

/// From shares of the stored frame's sides to shares of the shown picture's.
constexpr Affine2x3 share_turn(Orientation orientation) {
  switch (orientation) {
    case Orientation::k90Right:
      return {0, -1, 1, 1, 0, 0};
    case Orientation::k180:
      return {-1, 0, 1, 0, -1, 1};
    case Orientation::k90Left:
      return {0, 1, 0, -1, 0, 1};
    case Orientation::kFlipHorizontal:
      return {-1, 0, 1, 0, 1, 0};
    case Orientation::kFlipVertical:
      return {1, 0, 0, 0, -1, 1};
    case Orientation::kTranspose:
      return {0, 1, 0, 1, 0, 0};
    case Orientation::kTransverse:
      return {0, -1, 1, -1, 0, 1};
    case Orientation::kIdentity:
      break;
  }
  return {1, 0, 0, 0, 1, 0};
}

/// A point after an affine transform.
struct ShownPoint {
  double x, y;
};
constexpr ShownPoint moved_by(const Affine2x3& m, double x, double y) {
  return {m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]};
}

/// Width and height of the shown picture, in square pixels. The side along which the stored pixels
/// are the longer is stretched, so that no detail is lost.
struct ShownSize {
  double width, height;
};
constexpr ShownSize shown_size(const FrameGeometry& frame) {
  const bool usable = frame.pixel_aspect > 0.01 && frame.pixel_aspect < 100;
  const double aspect = usable ? frame.pixel_aspect : 1;
  const double width = frame.width * (aspect > 1 ? aspect : 1);
  const double height = frame.height / (aspect < 1 ? aspect : 1);
  return swaps_axes(frame.orientation) ? ShownSize{height, width} : ShownSize{width, height};
}

/// From pixels of the stored frame to those of the shown picture.
constexpr Affine2x3 stored_to_shown(const FrameGeometry& frame) {
  const ShownSize size = shown_size(frame);
  Affine2x3 m = share_turn(frame.orientation);
  for (int row = 0; row < 2; ++row) {
    const double side = row == 0 ? size.width : size.height;
    m[static_cast<std::size_t>(3 * row)] *= side / frame.width;
    m[static_cast<std::size_t>(3 * row + 1)] *= side / frame.height;
    m[static_cast<std::size_t>(3 * row + 2)] *= side;
  }
  return m;
}

/// `second` after `first`.
constexpr Affine2x3 composed(const Affine2x3& second, const Affine2x3& first) {
  const Affine2x3 &s = second, &f = first;
  return {s[0] * f[0] + s[1] * f[3], s[0] * f[1] + s[1] * f[4], s[0] * f[2] + s[1] * f[5] + s[2],
          s[3] * f[0] + s[4] * f[3], s[3] * f[1] + s[4] * f[4], s[3] * f[2] + s[4] * f[5] + s[5]};
}

}  // namespace fer
