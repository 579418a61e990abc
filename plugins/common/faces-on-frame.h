// The faces of a buffer for an element that uses them, after whatever lies between it and the
// analyser.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <vector>

#include "element-util.h"
#include "face-meta.h"

namespace fer {

/// The faces of the buffer, in a frame of `width` x `height` stored pixels; nullopt where no
/// analyser has looked at it.
///
/// The record itself goes wherever the buffer's metadata goes. Its regions of interest do not: who
/// changes the picture's geometry takes them along, moved, or drops them. So a face lies where its
/// region lies now, and where all regions are gone, nobody can tell where the faces are: they are
/// left out, and the element warns of it with the remedy, as far as `changed` admits.
std::optional<std::vector<FaceRecord>> faces_on_frame(GstElement* element, GstBuffer* buffer,
                                                      gint width, gint height,
                                                      WarningLimiter& changed);

}  // namespace fer
