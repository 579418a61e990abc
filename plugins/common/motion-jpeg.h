// Motion JPEG over HTTP, as many cameras send it.
#pragma once

#include <gst/gst.h>

namespace fer {
namespace motion_jpeg {

/// Pictures that come without times get that of their arrival.
inline GstPadProbeReturn stamp(GstPad* pad, GstPadProbeInfo* info, gpointer) {
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (GST_BUFFER_PTS_IS_VALID(buffer)) return GST_PAD_PROBE_OK;
  buffer = gst_buffer_make_writable(buffer);
  GST_BUFFER_PTS(buffer) = gst_element_get_current_running_time(GST_PAD_PARENT(pad));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  return GST_PAD_PROBE_OK;
}

inline void on_pad(GstElement*, GstPad* pad, gpointer) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, stamp, nullptr, nullptr);
}

inline void on_element(GstBin*, GstBin*, GstElement* element, gpointer) {
  const GstElementFactory* factory = gst_element_get_factory(element);
  if (factory == nullptr || g_strcmp0(GST_OBJECT_NAME(factory), "multipartdemux") != 0) return;
  g_object_set(element, "single-stream", TRUE, nullptr);
  g_signal_connect(element, "pad-added", G_CALLBACK(on_pad), nullptr);
}

}  // namespace motion_jpeg

/// Lets `bin`'s decodebins take Motion JPEG over HTTP. Its parts could be of several kinds, so that
/// multipartdemux never says that it has found all streams, and decodebin waits for that for ever.
/// Call it before the bin starts.
inline void accept_motion_jpeg(GstElement* bin) {
  g_signal_connect(bin, "deep-element-added", G_CALLBACK(motion_jpeg::on_element), nullptr);
}

}  // namespace fer
