// Entry point of the plugin `fer`.
#include <gst/gst.h>

#include "face-meta.h"
#include "ferdetect.h"

static gboolean plugin_init([[maybe_unused]] GstPlugin* plugin) {
  fer::face_meta_register();
  gboolean any = FALSE;
  any |= GST_ELEMENT_REGISTER(ferdetect, plugin);
  return any;
}

#define PACKAGE "gst-fer"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, fer,
                  "Finds, follows, crops, labels and publishes faces", plugin_init, PACKAGE_VERSION,
                  "MIT/X11", PACKAGE, "Unknown package origin")
