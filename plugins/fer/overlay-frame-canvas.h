// Draws into frames in the processor's memory.
#pragma once

#include "overlay-canvas.h"

namespace fer {

/// The same as kernels::blend_shapes(), row by row in vector registers.
class FrameCanvas final : public Canvas {
 public:
  /// The frame must stay mapped while this lives.
  explicit FrameCanvas(GstVideoFrame& frame, Orientation orientation = Orientation::kIdentity)
      : Canvas(frame, orientation) {}

 private:
  void draw(const Part& part) override;
  void blend_plane(const Plane& plane, const Part& part);
  void mean_coverage(const Plane& plane, const Part& part, int row);
  void blend_row(const Plane& plane, int x, int y, const std::uint8_t* alpha, int count);
  void blend_words(const Plane& plane, const Part& part, int x, int y, const std::uint8_t* alpha,
                   int count);
  const std::uint8_t* over_alpha(const std::uint8_t* alpha, int x, int y, int count);

  // Rows of alpha and of values, one byte a sample or one a byte of a plane.
  std::vector<std::uint8_t> alpha_row_, over_row_, alpha_bytes_, value_bytes_;
  std::vector<std::uint16_t> sums_;
};

}  // namespace fer
