// feroverlay: draws the faces that buffers carry as metadata, with their expressions.
#pragma once

#include <gst/base/gstbasetransform.h>

#define FER_TYPE_OVERLAY (fer_overlay_get_type())
G_DECLARE_FINAL_TYPE(FerOverlay, fer_overlay, FER, OVERLAY, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(feroverlay);
