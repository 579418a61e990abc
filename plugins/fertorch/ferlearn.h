// ferlearn: hands the faces of a stream to the learner of a model slot, and passes frames through.
#pragma once

#include <gst/base/gstbasetransform.h>

#define FER_TYPE_LEARN (fer_learn_get_type())
G_DECLARE_FINAL_TYPE(FerLearn, fer_learn, FER, LEARN, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(ferlearn);
