#include "frame-allocation.h"

#include <gst/video/video.h>

namespace fer {

void remove_crop_meta(GstQuery* query) {
  guint index = 0;
  while (gst_query_find_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, &index)) {
    gst_query_remove_nth_allocation_meta(query, index);
  }
}

gboolean propose_allocation(GstBaseTransform* element, GstQuery* decided, GstQuery* query) {
  // Its class exists for as long as that of an element which derives from it.
  const auto* base = GST_BASE_TRANSFORM_CLASS(g_type_class_peek(GST_TYPE_BASE_TRANSFORM));
  const gboolean answered = base->propose_allocation(element, decided, query);
  if (answered) remove_crop_meta(query);
  return answered;
}

}  // namespace fer
