// ferpublish: writes one JSON object a frame, with the faces that its buffer carries, and lets the
// buffers pass as they are.
#pragma once

#include <gst/base/gstbasetransform.h>

#define FER_TYPE_PUBLISH (fer_publish_get_type())
G_DECLARE_FINAL_TYPE(FerPublish, fer_publish, FER, PUBLISH, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(ferpublish);
