// The device form of resize_luma(): a thread a pixel, all frames in one launch.
#include "cuda/launch.cuh"
#include "cuda/launches.h"
#include "cuda/resize_luma.h"

namespace fer::kernels {

const char* resize_luma_on(const ResizeLuma& r, Stream stream) {
  return launch_pixels(r.count, r.out.height, r.out.width, stream,
                       [=] __device__(int n, int y, int x) { resize_pixel(r, n, y, x); });
}

}  // namespace fer::kernels
