#include "faces-on-frame.h"

#include <utility>

#include "face-placement.h"

namespace fer {

std::optional<std::vector<FaceRecord>> faces_on_frame(GstElement* element, GstBuffer* buffer,
                                                      gint width, gint height,
                                                      WarningLimiter& changed) {
  auto placed = place_faces(buffer, width, height);
  if (!placed) return std::nullopt;
  if (placed->lost > 0) {
    warn_limited(element, changed,
                 "An element upstream has changed the picture (flipped, turned, cropped, framed or "
                 "filtered it) without telling where the faces are now, so that they are left out: "
                 "put that element before ferdetect.");
  }
  return std::move(placed->faces);
}

}  // namespace fer
