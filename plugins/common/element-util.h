// What every element does the same way: enum types, controlled properties, stopping exceptions,
// warnings that do not flood the bus, times for the statistics.
#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>

#include "locked.h"

namespace fer {

/// The GType of an enum property. `values` ends with an all-zero entry and lives as long as the
/// process. Asking again for a name that is known, from this plugin or another, gives the same
/// type.
GType enum_type(const char* name, const GEnumValue* values);

/// Calls `body()` and returns what it returns. No C++ exception may cross into GStreamer's C: one
/// that gets here becomes an element error, and `fallback` is returned.
template <typename Result, typename Body>
Result guarded(gpointer element, Result fallback, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("%s", error.what()), (nullptr));
  } catch (...) {
    GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("An unknown exception."), (nullptr));
  }
  return fallback;
}

/// Lets a fault that may happen on every frame speak once in a while: the first at once, then at
/// most one every 10 s. Thread-safe.
class WarningLimiter {
 public:
  /// Whether to warn now; if so, how many were kept back since the last warning.
  std::optional<guint64> admit();

  /// The next one speaks at once again.
  void reset();

 private:
  struct State {
    gint64 last = -1;  ///< Monotonic time in microseconds; -1: none yet.
    guint64 kept_back = 0;
  };
  Locked<State> state_;
};

/// Posts a warning message of the element (domain STREAM, code FAILED) unless `limiter` keeps it
/// back.
void warn_limited(GstElement* element, WarningLimiter& limiter, const std::string& text);

/// Posts an element error (domain RESOURCE) that says why the file could not be opened: NOT_FOUND
/// where there is none, else OPEN_READ. `what` names the file and ends without a full stop.
void post_open_error(GstElement* element, const std::filesystem::path& file,
                     const std::string& what);

/// When the buffer is in its stream; GST_CLOCK_TIME_NONE where it has no time, or where the stream
/// is not measured in time (an appsrc's, unless told otherwise, is in bytes).
GstClockTime stream_time(const GstBaseTransform* element, const GstBuffer* buffer);

/// Brings the properties that somebody controls (GstControlBinding) to their values at the time of
/// this buffer. Call it before the buffer's settings are read.
void sync_properties(GstBaseTransform* element, GstBuffer* buffer);

/// Whether what comes behind this event has nothing to do with what came before: a flush, another
/// stream. Both are serialized with the buffers.
bool is_discontinuity(const GstEvent* event);

/// As metrics tell times.
inline double seconds(GstClockTime time) {
  return static_cast<double>(time) / GST_SECOND;
}

/// How long something took.
class Stopwatch {
 public:
  GstClockTime elapsed() const {
    return static_cast<GstClockTime>(std::chrono::nanoseconds(Clock::now() - start_).count());
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace fer
