// The device form of blend_shapes(): a thread a sample, all shapes and planes in one launch.
#include "kernels/blend_shapes.h"
#include "kernels/launch.cuh"
#include "kernels/launches.h"

namespace fer::kernels {

const char* blend_shapes_on(const BlendShapes& b, Stream stream) {
  if (b.count == 0) return nullptr;
  return launch_pixels(b.canvas.plane_count, b.height, b.width, stream,
                       [=] __device__(int plane, int y, int x) {
                         const CanvasPlane& p = b.canvas.planes[plane];
                         if (x < samples_across(p, b.x, b.width) &&
                             y < samples_across(p, b.y, b.height))
                           blend_sample(b, plane, y, x);
                       });
}

}  // namespace fer::kernels
