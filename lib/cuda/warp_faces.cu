// The device form of warp_faces(): a thread a pixel, all faces in one launch.
#include "cuda/launch.cuh"
#include "cuda/launches.h"
#include "cuda/warp_faces.h"

namespace fer::kernels {

const char* warp_faces_on(const WarpFaces& w, Stream stream) {
  return launch_pixels(w.count, w.out.height, w.out.width, stream,
                       [=] __device__(int n, int y, int x) { warp_pixel(w, n, y, x); });
}

}  // namespace fer::kernels
