// Faces as GstVideoRegionOfInterestMeta. The parameters' names and types are those that DL
// Streamer's elements write and its gvametaconvert reads (dlstreamer.github.io,
// dev_guide/metadata.html; include/dlstreamer/gst/videoanalytics).
#include <algorithm>
#include <cmath>
#include <set>

#include "face-dialects.h"

namespace fer {
namespace {

// What marks a region as ours, in its `detection` parameter.
constexpr char kCreatorField[] = "creator";
constexpr char kCreator[] = "gst-fer";

bool is_ours(GstVideoRegionOfInterestMeta* region, const std::vector<FaceRecord>& earlier) {
  if (region->roi_type != g_quark_from_static_string(kFaceType)) return false;
  const GstStructure* detection = gst_video_region_of_interest_meta_get_param(region, "detection");
  if (detection != nullptr) {
    return g_strcmp0(gst_structure_get_string(detection, kCreatorField), kCreator) == 0;
  }
  return region->params == nullptr &&
         std::any_of(earlier.begin(), earlier.end(),
                     [&](const FaceRecord& face) { return face.roi_id == region->id; });
}

}  // namespace

void regions_remove(GstBuffer* buffer, const std::vector<FaceRecord>& earlier) {
  auto remove_ours = [](GstBuffer*, GstMeta** meta, gpointer data) -> gboolean {
    if ((*meta)->info->api == GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE &&
        is_ours(reinterpret_cast<GstVideoRegionOfInterestMeta*>(*meta),
                *static_cast<const std::vector<FaceRecord>*>(data))) {
      *meta = nullptr;
    }
    return TRUE;
  };
  gst_buffer_foreach_meta(buffer, remove_ours, const_cast<std::vector<FaceRecord>*>(&earlier));
}

void regions_number(GstBuffer* buffer, std::vector<FaceRecord>& faces) {
  std::set<gint> taken;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
             buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    taken.insert(reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta)->id);
  }
  for (FaceRecord& face : faces) {
    if (face.roi_id > 0 && !taken.insert(face.roi_id).second) face.roi_id = 0;
  }
  gint next = 1;
  for (FaceRecord& face : faces) {
    if (face.roi_id > 0) continue;
    while (!taken.insert(next).second) ++next;
    face.roi_id = next;
  }
}

void regions_add(GstBuffer* buffer, const GstVideoInfo& info,
                 const std::vector<FaceRecord>& faces) {
  for (const FaceRecord& face : faces) {
    const PixelBox box = pixel_box(face, GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info));
    GstVideoRegionOfInterestMeta* region = gst_buffer_add_video_region_of_interest_meta(
        buffer, kFaceType, static_cast<guint>(box.x), static_cast<guint>(box.y),
        static_cast<guint>(box.w), static_cast<guint>(box.h));
    region->id = face.roi_id;
    region->parent_id = -1;
    gst_video_region_of_interest_meta_add_param(
        region,
        gst_structure_new("detection", "confidence", G_TYPE_DOUBLE, face.confidence, "label_id",
                          G_TYPE_INT, 0, "x_min", G_TYPE_DOUBLE, face.x, "x_max", G_TYPE_DOUBLE,
                          face.x + face.w, "y_min", G_TYPE_DOUBLE, face.y, "y_max", G_TYPE_DOUBLE,
                          face.y + face.h, kCreatorField, G_TYPE_STRING, kCreator, nullptr));
    if (face.track_id != 0) {
      // Theirs is an int; after two milliards of tracks it wraps, the record's own id does not.
      gst_video_region_of_interest_meta_add_param(
          region, gst_structure_new("object_id", "id", G_TYPE_INT,
                                    static_cast<gint>(face.track_id & G_MAXINT), nullptr));
    }
    if (face.expression) {
      const Expression& expression = *face.expression;
      GstStructure* emotion = gst_structure_new(
          "emotion", "label", G_TYPE_STRING, expression.label.c_str(), "label_id", G_TYPE_INT,
          expression.label_id, "confidence", G_TYPE_DOUBLE, expression.confidence(), "model_name",
          G_TYPE_STRING, expression.model_version.c_str(), "type", G_TYPE_STRING,
          "classification_result", nullptr);
      if (expression.unsure) gst_structure_set(emotion, "unsure", G_TYPE_BOOLEAN, TRUE, nullptr);
      gst_video_region_of_interest_meta_add_param(region, emotion);
    }
  }
}

}  // namespace fer
