// fercrop: turns every face of a frame into an aligned crop, one buffer a face.
#pragma once

#include <gst/video/gstvideofilter.h>

#define FER_TYPE_CROP (fer_crop_get_type())
G_DECLARE_FINAL_TYPE(FerCrop, fer_crop, FER, CROP, GstVideoFilter)

GST_ELEMENT_REGISTER_DECLARE(fercrop);
