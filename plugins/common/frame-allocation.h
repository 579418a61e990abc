// What upstream is told of how frames may lie in memory.
#pragma once

#include <gst/base/gstbasetransform.h>

namespace fer {

/// Takes the crop meta out of an answered allocation query. Who supports it is given the whole
/// frame with a note of what would have been cut off (by videocrop, say), which nobody who reads or
/// draws on pixels here heeds.
void remove_crop_meta(GstQuery* query);

/// GstBaseTransformClass::propose_allocation of elements that look at pixels: the base class's
/// answer without the crop meta.
gboolean propose_allocation(GstBaseTransform* element, GstQuery* decided, GstQuery* query);

}  // namespace fer
