#include "kernels/resize_luma.h"

#include <string>

#include "kernels/argument_checker.h"

namespace fer::kernels {

void check(const ResizeLuma& r) {
  const ArgumentChecker require{"resize_luma"};
  require(r.count >= 0, "no negative number of frames");
  require(r.out.channels == 1, "1 channel, found " + std::to_string(r.out.channels));
  require(r.out.width > 0 && r.out.height > 0, "an input with pixels");
  require(r.count == 0 || (r.frames && r.out.data), "frames and room for the input");
}

void resize_luma(const ResizeLuma& resize) {
  check(resize);
  for (int n = 0; n < resize.count; ++n) {
    for (int y = 0; y < resize.out.height; ++y)
      for (int x = 0; x < resize.out.width; ++x) resize_pixel(resize, n, y, x);
  }
}

}  // namespace fer::kernels
