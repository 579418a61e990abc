// Which frames come too late downstream, by its QoS events.
#pragma once

#include <gst/base/gstbasetransform.h>

#include "locked.h"

namespace fer {

/// For elements that save themselves work on late frames and let them pass all the same, in place
/// of GstBaseTransform's own QoS, which drops them. Thread-safe: the events arrive on any thread.
class QosTracker {
 public:
  /// Takes note of the event if it is a QoS event. Call it from src_event().
  void handle_event(GstEvent* event);

  /// Nothing is late any more: start and flush.
  void reset();

  /// Whether the frame would come too late. Call it from the element's streaming thread.
  bool is_late(const GstBaseTransform* element, const GstBuffer* buffer) const;

 private:
  /// Frames with a running time up to here come too late.
  Locked<GstClockTime> earliest_{GST_CLOCK_TIME_NONE};
};

}  // namespace fer
