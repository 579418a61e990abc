#include "qos-tracker.h"

namespace fer {

void QosTracker::handle_event(GstEvent* event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_QOS) return;
  GstClockTimeDiff lateness = 0;
  GstClockTime time = GST_CLOCK_TIME_NONE;
  gst_event_parse_qos(event, nullptr, nullptr, &lateness, &time);
  // Twice the lateness, to catch up, as GStreamer's decoders do.
  const GstClockTimeDiff earliest =
      GST_CLOCK_TIME_IS_VALID(time)
          ? static_cast<GstClockTimeDiff>(time) + (lateness > 0 ? 2 * lateness : lateness)
          : -1;
  earliest_.with([&](GstClockTime& value) {
    value = earliest < 0 ? GST_CLOCK_TIME_NONE : static_cast<GstClockTime>(earliest);
  });
}

void QosTracker::reset() {
  earliest_.with([](GstClockTime& value) { value = GST_CLOCK_TIME_NONE; });
}

bool QosTracker::is_late(const GstBaseTransform* element, const GstBuffer* buffer) const {
  const GstClockTime earliest = earliest_.copy();
  if (!GST_CLOCK_TIME_IS_VALID(earliest) || element->segment.format != GST_FORMAT_TIME)
    return false;
  const GstClockTime running_time =
      gst_segment_to_running_time(&element->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  return GST_CLOCK_TIME_IS_VALID(running_time) && running_time <= earliest;
}

}  // namespace fer
