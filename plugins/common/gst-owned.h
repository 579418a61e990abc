// GStreamer's objects with one owner, which lets go of them at the end of its scope.
#pragma once

#include <gst/gst.h>

#include <memory>

namespace fer {

struct Unref {
  void operator()(gpointer object) const { gst_object_unref(object); }
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
  void operator()(GError* error) const { g_error_free(error); }
  void operator()(GObjectClass* type) const { g_type_class_unref(type); }
};
/// Elements, pads, buses and other GstObjects; mini objects, errors and classes likewise.
template <typename T>
using Owned = std::unique_ptr<T, Unref>;

}  // namespace fer
