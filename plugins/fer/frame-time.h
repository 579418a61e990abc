// When a frame was taken, in UTC.
#pragma once

#include <gst/gst.h>

#include "frame-record.h"

namespace fer {

/// As the camera says on the buffer (GstReferenceTimestampMeta in Unix, NTP or PTP time), else now.
FrameTime frame_time(GstBuffer* buffer);

}  // namespace fer
