// A raw video frame as it lies in memory, without owning or converting it.
#pragma once

#include <array>
#include <cstdint>

namespace fer {

/// Raw formats that the library reads as they come. Names are GStreamer's.
enum class PixelFormat {
  kGray8,
  kNv12,
  kI420,
  kRgb,
  kBgr,
  kRgbx,
  kBgrx,
  kXrgb,
  kXbgr,
  kRgba,
  kBgra,
  kArgb,
  kAbgr,
  kNv21,
  kYv12,
  kYuy2,
  kUyvy,
  kY42b,
  kY444,
  kP010,    ///< P010_10LE.
  kI42010,  ///< I420_10LE.
};

/// How a stored picture must be turned to be seen upright. Numbers and order are those of
/// GstVideoOrientationMethod.
enum class Orientation : std::uint8_t {
  kIdentity,
  k90Right,  ///< Clockwise.
  k180,
  k90Left,          ///< Counter-clockwise.
  kFlipHorizontal,  ///< Left and right change places.
  kFlipVertical,
  kTranspose,   ///< Mirrored at the diagonal from the upper left corner.
  kTransverse,  ///< Mirrored at the other diagonal.
};

class FrameMemory;

/// A view of one frame: plane pointers and strides in bytes, size in pixels. It owns nothing; the
/// memory must outlive it. Planes that the format lacks are null with stride 0. Planes stand in
/// GStreamer's order: YV12 has V before U.
struct FrameView {
  PixelFormat format = PixelFormat::kGray8;   ///< How pixels lie in the planes.
  int width = 0;                              ///< In pixels, as stored.
  int height = 0;                             ///< In pixels, as stored.
  std::array<const std::uint8_t*, 3> data{};  ///< First byte of each plane.
  std::array<int, 3> stride{};                ///< Bytes from a row to the next, of each plane.
  /// Grey and YUV: false where the samples are "limited" or "video" range (luma 16 to 235,
  /// chroma 16 to 240); they are then stretched to 0 to 255, so that video looks as stills do. RGB
  /// formats ignore it.
  bool full_range = true;
  /// The picture is not always seen as it is stored (vision/shown_frame.h): width of a pixel over
  /// its height, and how to turn it.
  double pixel_aspect = 1;
  Orientation orientation = Orientation::kIdentity;  ///< How it is turned to be shown.
  /// Not null where the planes lie in the memory of a device: what reads them there
  /// (vision/frame_memory.h).
  FrameMemory* memory = nullptr;
};

}  // namespace fer
