#include "cameras/hardware_decoders.h"

#include <gst/gst.h>

#include <algorithm>
#include <string>

namespace fer {

int prefer_hardware_decoders() {
  GList* decoders = gst_element_factory_list_get_elements(
      GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO, GST_RANK_NONE);
  int count = 0;
  for (GList* one = decoders; one != nullptr; one = one->next) {
    auto* feature = GST_PLUGIN_FEATURE(one->data);
    const gchar* kind = gst_element_factory_get_metadata(GST_ELEMENT_FACTORY(one->data),
                                                         GST_ELEMENT_METADATA_KLASS);
    if (kind == nullptr || std::string(kind).find("Hardware") == std::string::npos) continue;
    ++count;
    const guint above = GST_RANK_PRIMARY + 64;
    gst_plugin_feature_set_rank(feature, std::max(gst_plugin_feature_get_rank(feature), above));
  }
  gst_plugin_feature_list_free(decoders);
  return count;
}

}  // namespace fer
