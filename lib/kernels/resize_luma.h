// Makes the detector's input: the frame's grey levels, shrunk, in the upper left corner of an input
// whose sides are multiples of the detector's strides.
#pragma once

#include "kernels/batch.h"
#include "kernels/frame_sampling.h"
#include "util/host_device.h"

namespace fer::kernels {

/// One launch for all frames of a batch, which may differ in size and format. Pointers as in
/// WarpFaces.
struct ResizeLuma {
  struct Frame {
    FramePlanes planes;
    /// Size of the shrunk frame (detection_size()); no larger than the frame and than `out`.
    int width, height;
  };
  const Frame* frames = nullptr;
  int count = 0;
  /// count x 1 x height x width: 0 to 255, black outside of the picture.
  Batch out;
};

/// Throws std::invalid_argument that names what is missing or out of range. Does not look into the
/// arrays, which may lie on a device.
void check(const ResizeLuma& resize);

/// The CPU form, on the calling thread. Throws as check() does.
void resize_luma(const ResizeLuma& resize);

/// The grey level at a pixel of an input.
FER_HOST_DEVICE inline float level_at(const ResizeLuma::Frame& frame, int y, int x) {
  if (x >= frame.width || y >= frame.height) return 0;
  const FrameView& view = frame.planes.view;
  return pixel_of(frame.planes, {0, 0, view.width, view.height, frame.width, frame.height}, x, y);
}

/// Makes one pixel of one input; both forms call it for each pixel.
FER_HOST_DEVICE inline void resize_pixel(const ResizeLuma& r, int n, int y, int x) {
  store(r.out, index_in(r.out, static_cast<std::size_t>(n), 0, y, x), level_at(r.frames[n], y, x));
}

}  // namespace fer::kernels
