// A look at the whole picture, turned by quarters.
#pragma once

#include <vector>

#include "vision/detector.h"
#include "vision/face_roll.h"

namespace fer {

/// The faces that the detector finds where the picture is turned so that those which are turned
/// clockwise by `degrees` (90, -90 or 180) come upright, in pixels of the frame as it is shown. The
/// picture is shrunk as for an upright look with this config; its small_faces is ignored.
std::vector<RolledFace> look_at_quarter(Detector& detector, const FrameView& frame,
                                        const DetectorConfig& config, int degrees);

}  // namespace fer
