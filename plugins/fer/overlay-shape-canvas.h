// Gathers what is drawn, for frames that the processor cannot write to.
#pragma once

#include "kernels/blend_shapes.h"
#include "overlay-canvas.h"

namespace fer {

/// Notes the shapes and copies their coverage; kernels::blend_shapes() or its kernel draws them.
class ShapeCanvas final : public Canvas {
 public:
  /// Nothing of the frame is read or written.
  explicit ShapeCanvas(const GstVideoFrame& frame, Orientation orientation = Orientation::kIdentity)
      : Canvas(frame, orientation) {}

  /// All shapes so far. Its arrays are this canvas's own, until the next shape.
  kernels::BlendShapes shapes() const;
  std::size_t coverage_bytes() const { return coverage_.size(); }

 private:
  void draw(const Part& part) override;

  std::vector<kernels::Shape> shapes_;
  std::vector<std::uint8_t> coverage_;
  Rect bounds_{};
};

}  // namespace fer
