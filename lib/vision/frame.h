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
};

class FrameMemory;

/// A view of one frame: plane pointers and strides in bytes, size in pixels. It owns nothing; the
/// memory must outlive it. Planes that the format lacks are null with stride 0.
struct FrameView {
  PixelFormat format = PixelFormat::kGray8;
  int width = 0;
  int height = 0;
  std::array<const std::uint8_t*, 3> data{};
  std::array<int, 3> stride{};
  /// Grey, NV12, I420: false where the samples are "limited" or "video" range (luma 16 to 235,
  /// chroma 16 to 240); they are then stretched to 0 to 255, so that video looks as stills do. RGB
  /// formats ignore it.
  bool full_range = true;
  /// Not null where the planes lie in the memory of a device: what reads them there
  /// (vision/frame_memory.h).
  FrameMemory* memory = nullptr;
};

}  // namespace fer
