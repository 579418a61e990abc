#include "element-util.h"

namespace fer {

GType enum_type(const char* name, const GEnumValue* values) {
  static Locked<int> registering;  // two plugins may load at once
  return registering.with([&](int) {
    const GType known = g_type_from_name(name);
    return known != G_TYPE_INVALID ? known : g_enum_register_static(name, values);
  });
}

std::optional<guint64> WarningLimiter::admit() {
  constexpr gint64 kInterval = 10 * G_USEC_PER_SEC;
  const gint64 now = g_get_monotonic_time();
  return state_.with([&](State& state) -> std::optional<guint64> {
    if (state.last >= 0 && now - state.last < kInterval) {
      ++state.kept_back;
      return std::nullopt;
    }
    state.last = now;
    return std::exchange(state.kept_back, 0);
  });
}

void WarningLimiter::reset() {
  state_.with([](State& state) { state = {}; });
}

void warn_limited(GstElement* element, WarningLimiter& limiter, const std::string& text) {
  const std::optional<guint64> kept_back = limiter.admit();
  if (!kept_back) return;
  if (*kept_back > 0) {
    GST_ELEMENT_WARNING(element, STREAM, FAILED, ("%s", text.c_str()),
                        ("%" G_GUINT64_FORMAT " more since the last warning", *kept_back));
  } else {
    GST_ELEMENT_WARNING(element, STREAM, FAILED, ("%s", text.c_str()), (nullptr));
  }
}

void post_open_error(GstElement* element, const std::filesystem::path& file,
                     const std::string& what) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    GST_ELEMENT_ERROR(element, RESOURCE, OPEN_READ, ("%s.", what.c_str()), (nullptr));
  } else {
    GST_ELEMENT_ERROR(element, RESOURCE, NOT_FOUND, ("%s.", what.c_str()), (nullptr));
  }
}

GstClockTime stream_time(const GstBaseTransform* element, const GstBuffer* buffer) {
  const GstSegment& segment = element->segment;
  return segment.format == GST_FORMAT_TIME
             ? gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer))
             : GST_CLOCK_TIME_NONE;
}

void sync_properties(GstBaseTransform* element, GstBuffer* buffer) {
  const GstClockTime time = stream_time(element, buffer);
  if (GST_CLOCK_TIME_IS_VALID(time)) gst_object_sync_values(GST_OBJECT(element), time);
}

bool is_discontinuity(const GstEvent* event) {
  return GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP ||
         GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START;
}

}  // namespace fer
