// Entry point of the plugin `fertorch`: what needs LibTorch.
#include <gst/gst.h>

#include "face-meta.h"
#include "ferlearn.h"

static gboolean plugin_init(GstPlugin* plugin) {
  fer::face_meta_register();
  return GST_ELEMENT_REGISTER(ferlearn, plugin);
}

#define PACKAGE "gst-fer"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, fertorch,
                  "Learns from the faces of a stream", plugin_init, PACKAGE_VERSION, "MIT/X11",
                  PACKAGE, "Unknown package origin")
