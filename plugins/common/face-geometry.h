// Between faces in pixels of the shown picture, as the library has them, and faces as shares of the
// stored frame, as metadata has them.
#pragma once

#include "face-meta.h"
#include "vision/face.h"
#include "vision/shown_frame.h"

namespace fer {

/// The record of a face in a frame of this geometry (both sides above 0), without an expression.
FaceRecord face_record(const TrackedFace& face, const FrameGeometry& frame);

/// The face of a record, in pixels of the frame as it is shown.
TrackedFace face_in_pixels(const FaceRecord& record, const FrameGeometry& frame);

/// The record with its box and landmarks as shares of the shown picture's sides.
FaceRecord as_shown(const FaceRecord& record, Orientation orientation);

/// The shorter side of a record's box, in pixels of the frame as it is shown.
double face_size(const FaceRecord& record, const FrameGeometry& frame);

}  // namespace fer
