// The faces of a frame, for the elements that have a model look at them.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <vector>

#include "crop-batch.h"
#include "element-util.h"
#include "face-meta.h"

namespace fer {

/// What is taken for faces.
enum class Region { kRoiList, kFullFrame };

/// The GType of the property `inference-region`.
GType region_type();

/// The faces to look at, in a frame with this info; nullopt where it has none. Where nobody has
/// looked for faces, or nobody knows where they are now (faces_on_frame()), the element warns of
/// it, as far as `no_record` admits.
std::optional<std::vector<FaceRecord>> faces_of_frame(GstElement* element, Region region,
                                                      GstBuffer* buffer, const GstVideoInfo& info,
                                                      WarningLimiter& no_record);

/// Starts a batch of the crops that this model wants, one a face.
void cut_faces(const FrameView& frame, Region region, const std::vector<FaceRecord*>& faces,
               const ModelInfo& model, CropBatch& crops);

}  // namespace fer
