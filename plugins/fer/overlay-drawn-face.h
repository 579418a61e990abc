// A drawn face that shows an expression and nothing of whoever has it.
#pragma once

#include <string>

#include "overlay-canvas.h"
#include "overlay-masks.h"

namespace fer {

/// Fills the rectangle, all of it, with the colour, which becomes opaque, and draws eyes, brows and
/// mouth of FER+'s expression `label` on it. Other labels get the face of "neutral", an empty one
/// no face.
void draw_face_mask(Canvas& canvas, MaskCache& masks, const Rect& rect, Argb colour,
                    const std::string& label);

}  // namespace fer
