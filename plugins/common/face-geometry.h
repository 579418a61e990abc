// Between faces in pixels, as the library has them, and faces as shares of a frame, as metadata has
// them.
#pragma once

#include "face-meta.h"
#include "vision/face.h"

namespace fer {

/// The record of a face that lies in a frame of `width` x `height` pixels (both above 0), without
/// an expression.
FaceRecord face_record(const TrackedFace& face, int width, int height);

/// The face of a record, in pixels of a frame of `width` x `height`.
TrackedFace face_in_pixels(const FaceRecord& record, int width, int height);

}  // namespace fer
