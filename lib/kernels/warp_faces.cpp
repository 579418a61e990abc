#include "kernels/warp_faces.h"

#include <string>

#include "kernels/argument_checker.h"

namespace fer::kernels {

void check(const WarpFaces& w) {
  const ArgumentChecker require{"warp_faces"};
  require(w.count >= 0 && w.frame_count >= 0, "no negative number of faces or frames");
  require(w.out.channels == 1 || w.out.channels == 3,
          "1 channel or 3, found " + std::to_string(w.out.channels));
  require(w.out.width > 0 && w.out.height > 0, "crops with pixels");
  require(w.stddev > 0, "a positive standard deviation");
  require(w.count == 0 || (w.frames && w.frame_count > 0 && w.faces && w.out.data),
          "frames, faces and room for the crops");
}

void warp_faces(const WarpFaces& warp) {
  check(warp);
  for (int n = 0; n < warp.count; ++n) {
    for (int y = 0; y < warp.out.height; ++y)
      for (int x = 0; x < warp.out.width; ++x) warp_pixel(warp, n, y, x);
  }
}

}  // namespace fer::kernels
