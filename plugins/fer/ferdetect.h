// ferdetect: finds and follows faces and attaches them to buffers as metadata.
#pragma once

#include <gst/base/gstbasetransform.h>

#define FER_TYPE_DETECT (fer_detect_get_type())
G_DECLARE_FINAL_TYPE(FerDetect, fer_detect, FER, DETECT, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(ferdetect);
