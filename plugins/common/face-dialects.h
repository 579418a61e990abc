// The dialects in which face-meta writes faces beside its own record. Only face-meta calls these.
#pragma once

#include <gst/video/video.h>

#include <vector>

#include "face-meta.h"

namespace fer {

/// Region type, and GstAnalytics object type, of a face.
inline constexpr char kFaceType[] = "face";

/// Takes off the regions that face_meta_write() put on the buffer earlier. A region that lost its
/// parameters on the way is known by its id, one of `earlier`.
void regions_remove(GstBuffer* buffer, const std::vector<FaceRecord>& earlier);

/// Gives every face a region id of its own: keeps those that are set and unique, finds for the
/// others one that no region on the buffer has.
void regions_number(GstBuffer* buffer, std::vector<FaceRecord>& faces);

/// Adds one GstVideoRegionOfInterestMeta a face, with parameters in DL Streamer's dialect.
void regions_add(GstBuffer* buffer, const GstVideoInfo& info, const std::vector<FaceRecord>& faces);

#ifdef HAVE_ANALYTICS
/// Writes the faces as GstAnalytics in place of those whose object ids are `earlier`. Returns the
/// object id of every face.
std::vector<guint> analytics_replace(GstBuffer* buffer, const GstVideoInfo& info,
                                     const std::vector<guint>& earlier,
                                     const std::vector<FaceRecord>& faces);
#endif

}  // namespace fer
