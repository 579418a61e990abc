// Entry point of the plugin `fer`.
#include <gst/gst.h>

#include "face-meta.h"
#include "fercrop.h"
#include "ferdetect.h"
#include "ferinfer.h"
#include "feroverlay.h"
#include "ferpublish.h"

static gboolean plugin_init(GstPlugin* plugin) {
  fer::face_meta_register();
  gboolean any = FALSE;
  any |= GST_ELEMENT_REGISTER(fercrop, plugin);
  any |= GST_ELEMENT_REGISTER(ferdetect, plugin);
  any |= GST_ELEMENT_REGISTER(ferinfer, plugin);
  any |= GST_ELEMENT_REGISTER(feroverlay, plugin);
  any |= GST_ELEMENT_REGISTER(ferpublish, plugin);
  return any;
}

#define PACKAGE "gst-fer"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, fer,
                  "Finds, follows, crops, labels and publishes faces", plugin_init, PACKAGE_VERSION,
                  "MIT/X11", PACKAGE, "Unknown package origin")
