// ferinfer: says what every face of a frame expresses, in the frame's metadata.
#pragma once

#include <gst/base/gstbasetransform.h>

#define FER_TYPE_INFER (fer_infer_get_type())
G_DECLARE_FINAL_TYPE(FerInfer, fer_infer, FER, INFER, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(ferinfer);
