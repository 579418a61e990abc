// Motion JPEG over HTTP, as many cameras send it.
#pragma once

#include <gst/gst.h>

namespace fer {

/// Lets `bin`'s decodebins take Motion JPEG over HTTP. Its parts could be of several kinds, so that
/// multipartdemux never says that it has found all streams, and decodebin waits for that for ever.
/// Call it before the bin starts.
inline void accept_motion_jpeg(GstElement* bin) {
  const auto on_element = +[](GstBin*, GstBin*, GstElement* element, gpointer) {
    const GstElementFactory* factory = gst_element_get_factory(element);
    if (factory != nullptr && g_strcmp0(GST_OBJECT_NAME(factory), "multipartdemux") == 0)
      g_object_set(element, "single-stream", TRUE, nullptr);
  };
  g_signal_connect(bin, "deep-element-added", G_CALLBACK(on_element), nullptr);
}

}  // namespace fer
