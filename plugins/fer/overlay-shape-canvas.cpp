#include "overlay-shape-canvas.h"

#include <algorithm>

namespace fer {

kernels::BlendShapes ShapeCanvas::shapes() const {
  kernels::BlendShapes blend;
  blend.canvas.width = stored_width();
  blend.canvas.height = stored_height();
  blend.canvas.alpha_offset = alpha_offset();
  // The formats that lie on devices have at most three planes, of whole bytes.
  for (const Plane& plane : planes()) blend.canvas.planes[blend.canvas.plane_count++] = plane;
  blend.shapes = shapes_.data();
  blend.count = static_cast<int>(shapes_.size());
  blend.coverage = coverage_.data();
  blend.x = bounds_.x;
  blend.y = bounds_.y;
  blend.width = bounds_.w;
  blend.height = bounds_.h;
  return blend;
}

void ShapeCanvas::draw(const Part& part) {
  const Rect& rect = part.rect;
  const bool even = part.shape.stride == 0;  // One row stands for all.
  shapes_.push_back(
      {rect.x,
       rect.y,
       rect.w,
       rect.h,
       coverage_.size(),
       even ? 0 : rect.w,
       part.alpha,
       {static_cast<std::uint8_t>(part.values[0]), static_cast<std::uint8_t>(part.values[1]),
        static_cast<std::uint8_t>(part.values[2])}});
  for (int y = 0; y < (even ? 1 : rect.h); ++y) {
    const std::uint8_t* row = part.shape.data + y * part.shape.stride;
    coverage_.insert(coverage_.end(), row, row + rect.w);
  }
  if (shapes_.size() == 1) {
    bounds_ = rect;
    return;
  }
  const int right = std::max(bounds_.right(), rect.right());
  const int bottom = std::max(bounds_.bottom(), rect.bottom());
  bounds_.x = std::min(bounds_.x, rect.x);
  bounds_.y = std::min(bounds_.y, rect.y);
  bounds_.w = right - bounds_.x;
  bounds_.h = bottom - bounds_.y;
}

}  // namespace fer
