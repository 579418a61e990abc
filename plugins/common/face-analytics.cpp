// Faces as GstAnalytics metadata (GStreamer >= 1.24): an object detection of type "face", related
// to a classification with the most likely label and to a tracking record.
#include <gst/analytics/analytics.h>

#include <algorithm>
#include <set>

#include "face-dialects.h"

namespace fer {
namespace {

// Both readings that are in use: GStreamer's overlay follows RELATE_TO, DL Streamer CONTAIN.
constexpr auto kObjectToClass = static_cast<GstAnalyticsRelTypes>(GST_ANALYTICS_REL_TYPE_CONTAIN |
                                                                  GST_ANALYTICS_REL_TYPE_RELATE_TO);
constexpr auto kClassToObject = static_cast<GstAnalyticsRelTypes>(
    GST_ANALYTICS_REL_TYPE_IS_PART_OF | GST_ANALYTICS_REL_TYPE_RELATE_TO);

GQuark face_quark() {
  return g_quark_from_static_string(kFaceType);
}

/// The earlier object of ours with this id; false where it is gone.
bool get_object(GstAnalyticsRelationMeta* relations, guint id, GstAnalyticsODMtd* object) {
  return id < gst_analytics_relation_get_length(relations) &&
         gst_analytics_relation_meta_get_od_mtd(relations, id, object) &&
         gst_analytics_od_mtd_get_obj_type(object) == face_quark();
}

/// The first entry of `type` that the object is related to.
bool get_related(GstAnalyticsODMtd object, GstAnalyticsMtdType type, GstAnalyticsMtd* related) {
  return gst_analytics_relation_meta_get_direct_related(
      object.meta, object.id, GST_ANALYTICS_REL_TYPE_RELATE_TO, type, nullptr, related);
}

/// Whether nobody else has written into the meta: it holds our objects and what they are related
/// to.
bool holds_only_ours(GstAnalyticsRelationMeta* relations, const std::vector<guint>& earlier) {
  std::set<guint> ours;
  for (const guint id : earlier) {
    GstAnalyticsODMtd object;
    if (!get_object(relations, id, &object)) continue;
    ours.insert(id);
    for (const GstAnalyticsMtdType type :
         {gst_analytics_cls_mtd_get_mtd_type(), gst_analytics_tracking_mtd_get_mtd_type()}) {
      GstAnalyticsMtd related;
      if (get_related(object, type, &related)) ours.insert(related.id);
    }
  }
  return ours.size() == gst_analytics_relation_get_length(relations);
}

bool stands_at(GstAnalyticsODMtd object, const PixelBox& box) {
  gint x = 0, y = 0, w = 0, h = 0;
  gfloat confidence = 0;
  return gst_analytics_od_mtd_get_location(&object, &x, &y, &w, &h, &confidence) && x == box.x &&
         y == box.y && w == box.w && h == box.h;
}

void relate(GstAnalyticsODMtd object, GstAnalyticsRelTypes there, GstAnalyticsMtd entry,
            GstAnalyticsRelTypes back) {
  gst_analytics_relation_meta_set_relation(object.meta, there, object.id, entry.id);
  gst_analytics_relation_meta_set_relation(object.meta, back, entry.id, object.id);
}

/// Ends the relation with all entries of `type`, but for a tracking record of `track_id`.
void unrelate(GstAnalyticsODMtd object, GstAnalyticsMtdType type, guint64 track_id) {
  std::vector<GstAnalyticsMtd> related;
  GstAnalyticsMtd entry;
  gpointer state = nullptr;
  while (gst_analytics_relation_meta_get_direct_related(
      object.meta, object.id, GST_ANALYTICS_REL_TYPE_RELATE_TO, type, &state, &entry)) {
    related.push_back(entry);
  }
  for (GstAnalyticsMtd& old : related) {
    guint64 id = 0;
    GstClockTime first = 0, last = 0;
    gboolean lost = FALSE;
    const bool same = type == gst_analytics_tracking_mtd_get_mtd_type() &&
                      gst_analytics_tracking_mtd_get_info(&old, &id, &first, &last, &lost) &&
                      id == track_id;
    if (!same) relate(object, GST_ANALYTICS_REL_TYPE_NONE, old, GST_ANALYTICS_REL_TYPE_NONE);
  }
}

void add_tracking(GstBuffer* buffer, GstAnalyticsODMtd object, guint64 track_id) {
  GstAnalyticsMtd tracking;
  if (get_related(object, gst_analytics_tracking_mtd_get_mtd_type(), &tracking)) return;
  // A buffer stands for itself: all it knows of the track is that it was seen here.
  if (gst_analytics_relation_meta_add_tracking_mtd(object.meta, track_id, GST_BUFFER_PTS(buffer),
                                                   &tracking)) {
    relate(object, GST_ANALYTICS_REL_TYPE_RELATE_TO, tracking, GST_ANALYTICS_REL_TYPE_RELATE_TO);
  }
}

void add_class(GstAnalyticsODMtd object, const Expression& expression) {
  GstAnalyticsMtd label;
  if (gst_analytics_relation_meta_add_one_cls_mtd(
          object.meta, static_cast<gfloat>(expression.confidence()),
          g_quark_from_string(expression.label.c_str()), &label)) {
    relate(object, kObjectToClass, label, kClassToObject);
  }
}

}  // namespace

std::vector<guint> analytics_replace(GstBuffer* buffer, const GstVideoInfo& info,
                                     const std::vector<guint>& earlier,
                                     const std::vector<FaceRecord>& faces) {
  std::vector<guint> ids;
  GstAnalyticsRelationMeta* relations = gst_buffer_get_analytics_relation_meta(buffer);
  if (relations != nullptr && holds_only_ours(relations, earlier)) {
    gst_buffer_remove_meta(buffer, reinterpret_cast<GstMeta*>(relations));
    relations = nullptr;
  }
  // Single entries cannot be taken off. Where others have written too, an object that stands where
  // it stood is used again and only what it is related to is replaced; objects that are gone stay.
  std::vector<GstAnalyticsODMtd> reusable;
  if (relations != nullptr) {
    for (const guint id : earlier) {
      GstAnalyticsODMtd object;
      if (get_object(relations, id, &object)) reusable.push_back(object);
    }
  } else if (!faces.empty()) {
    relations = gst_buffer_add_analytics_relation_meta(buffer);
  }

  for (const FaceRecord& face : faces) {
    const PixelBox box = pixel_box(face, GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info));
    const auto stood = std::find_if(reusable.begin(), reusable.end(),
                                    [&](const auto& object) { return stands_at(object, box); });
    GstAnalyticsODMtd object;
    if (stood != reusable.end()) {
      object = *stood;
      reusable.erase(stood);
      unrelate(object, gst_analytics_cls_mtd_get_mtd_type(), 0);
      unrelate(object, gst_analytics_tracking_mtd_get_mtd_type(), face.track_id);
    } else if (!gst_analytics_relation_meta_add_od_mtd(relations, face_quark(), box.x, box.y, box.w,
                                                       box.h, static_cast<gfloat>(face.confidence),
                                                       &object)) {
      continue;
    }
    if (face.track_id != 0) add_tracking(buffer, object, face.track_id);
    if (face.expression) add_class(object, *face.expression);
    ids.push_back(object.id);
  }
  return ids;
}

}  // namespace fer
