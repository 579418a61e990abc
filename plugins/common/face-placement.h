// Where the faces of a buffer lie now, after whatever changed the picture since they were found.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <vector>

#include "face-meta.h"

namespace fer {

struct PlacedFaces {
  std::vector<FaceRecord> faces;
  /// How many more there were, of which nobody can tell where they are: whoever changed the
  /// picture dropped their regions of interest.
  std::size_t lost = 0;
};

/// The faces of the buffer, in a frame of `width` x `height` stored pixels; nullopt where no
/// analyser has looked at it. A face lies where its region lies. One without a region of its own is
/// somebody else's, and lies where the record says.
std::optional<PlacedFaces> place_faces(GstBuffer* buffer, gint width, gint height);

}  // namespace fer
