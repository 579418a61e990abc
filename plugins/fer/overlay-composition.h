// What is drawn as an overlay composition, which a sink or an encoder blends by itself.
#pragma once

#include <gst/video/video-overlay-composition.h>

#include "overlay-shape-canvas.h"

namespace fer {

/// A canvas of this size, as the frame is stored, that no frame lies behind. Draw on it, then ask
/// for the composition.
class CompositionCanvas {
 public:
  CompositionCanvas(const GstVideoInfo& info, Orientation orientation);

  Canvas& canvas() { return canvas_; }

  /// One rectangle of straight-alpha BGRA for each group of shapes that touch one another; the
  /// rectangles of `before` (an overlay from upstream; may be null) come first. Null where nothing
  /// was drawn. The caller's.
  GstVideoOverlayComposition* composition(GstVideoOverlayComposition* before) const;

 private:
  static GstVideoFrame empty_frame(const GstVideoInfo& info);

  ShapeCanvas canvas_;
};

}  // namespace fer
