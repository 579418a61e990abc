#include "kernels/blend_shapes.h"

#include "kernels/argument_checker.h"

namespace fer::kernels {

void check(const BlendShapes& b) {
  const ArgumentChecker require{"blend_shapes"};
  require(b.count >= 0, "no negative number of shapes");
  require(b.canvas.plane_count >= 0 && b.canvas.plane_count <= 3, "at most 3 planes");
  require(b.canvas.width > 0 && b.canvas.height > 0, "a frame with pixels");
  require(b.x >= 0 && b.y >= 0 && b.width >= 0 && b.height >= 0, "pixels of the frame");
  require(b.count == 0 || (b.shapes && b.coverage), "shapes and their coverage");
  for (int i = 0; i < b.canvas.plane_count; ++i)
    require(b.canvas.planes[i].data && b.canvas.planes[i].step > 0 && b.canvas.planes[i].step <= 4,
            "planes of samples of 1 to 4 bytes");
}

void blend_shapes(const BlendShapes& blend) {
  check(blend);
  for (int i = 0; i < blend.canvas.plane_count; ++i) {
    const CanvasPlane& plane = blend.canvas.planes[i];
    const int columns = samples_across(plane, blend.x, blend.width);
    const int rows = samples_across(plane, blend.y, blend.height);
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) blend_sample(blend, i, row, column);
  }
}

}  // namespace fer::kernels
