// GStreamer's first steps, and addresses as it wants them.
#pragma once

#include <gst/gst.h>

#include <stdexcept>
#include <string>

#include "gst-owned.h"
#include "util/read_file.h"
#include "util/without_secrets.h"

namespace fer {

/// Before all else. Throws std::runtime_error where GStreamer cannot be used.
inline void init_gstreamer() {
  GError* failed = nullptr;
  if (gst_init_check(nullptr, nullptr, &failed)) return;
  const Owned<GError> error(failed);
  throw std::runtime_error(std::string("GStreamer cannot be used: ") + error->message);
}

/// Whether GStreamer has an element of this name.
inline bool has_element(const char* name) {
  GstElementFactory* factory = gst_element_factory_find(name);
  if (factory == nullptr) return false;
  gst_object_unref(factory);
  return true;
}

/// A video as a URI. A file's name may be relative. Throws std::runtime_error for what is no
/// regular file: GStreamer would wait for a pipe's other end, whoever wants it to stop.
inline std::string uri_of(const std::string& video) {
  if (gst_uri_is_valid(video.c_str())) {
    gchar* file = g_filename_from_uri(video.c_str(), nullptr, nullptr);
    if (file != nullptr) {
      const std::string path = file;
      g_free(file);
      require_regular_file(path);
    }
    return video;
  }
  require_regular_file(video);
  GError* failed = nullptr;
  gchar* uri = gst_filename_to_uri(video.c_str(), &failed);
  if (uri == nullptr) {
    const Owned<GError> error(failed);
    throw std::runtime_error(video + ": " + error->message);
  }
  std::string text = uri;
  g_free(uri);
  return text;
}

/// What an error message of a bus says, without passwords.
inline std::string error_text(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const Owned<GError> owned(error);
  return without_secrets(owned->message);
}

}  // namespace fer
