// What the overlay looks like: where boxes, labels, bars and landmarks of a frame's faces go.
#pragma once

#include <string>
#include <vector>

#include "face-meta.h"
#include "overlay-canvas.h"
#include "overlay-masks.h"
#include "overlay-tracks.h"

namespace fer {

/// What to draw, and how.
struct OverlayLook {
  bool box = true;
  bool label = true;
  bool bars = true;
  bool landmarks = false;
  bool id = true;
  Argb box_colour = 0;  ///< 0: each expression has its own.
  Argb text_colour = 0xffffffff;
  Argb background_colour = 0xb3101418;
  double line_width = 0;  ///< Pixels; 0: by the frame's height.
  double font_size = 0;   ///< Pixels; 0: the font's own, or by the frame's height.
  std::string font = "Sans";

  bool shows_anything() const { return box || label || bars || landmarks; }
};

/// The colour of an expression: Okabe and Ito's palette, which people with any kind of colour
/// vision can tell apart, for FER+'s labels; for other labels by their number.
Argb expression_colour(const std::string& label, int label_id);

/// Draws the faces that `tracks` was last updated with.
void paint_faces(Canvas& canvas, MaskCache& masks, ShownTracks& tracks, const OverlayLook& look,
                 const std::vector<FaceRecord>& faces);

}  // namespace fer
