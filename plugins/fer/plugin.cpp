// Entry point of the plugin `fer`.
#include <gst/gst.h>

#include "face-meta.h"

static gboolean plugin_init([[maybe_unused]] GstPlugin* plugin) {
  fer::face_meta_register();
  gboolean any = FALSE;
  return any;
}

#define PACKAGE "gst-fer"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, fer,
                  "Finds, follows, crops, labels and publishes faces", plugin_init, PACKAGE_VERSION,
                  "MIT/X11", PACKAGE, "Unknown package origin")
