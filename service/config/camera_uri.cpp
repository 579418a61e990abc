#include "config/camera_uri.h"

#include <gst/gst.h>

#include <algorithm>
#include <memory>

namespace fer {
namespace {

struct FreeString {
  void operator()(gchar* text) const { g_free(text); }
};
using Text = std::unique_ptr<gchar, FreeString>;

/// Parts of scheme://[user@]place[?query]; all views into the address.
struct Parts {
  std::string_view scheme, user, place, query;
};

Parts parts_of(std::string_view uri) {
  Parts parts;
  const std::size_t colon = uri.find("://");
  if (colon == std::string_view::npos) {
    parts.place = uri;
    return parts;
  }
  parts.scheme = uri.substr(0, colon);
  std::string_view rest = uri.substr(colon + 3);
  const std::size_t question = rest.find_first_of("?#");
  if (question != std::string_view::npos) {
    parts.query = rest.substr(question + 1);
    rest = rest.substr(0, question);
  }
  // A password may hold slashes that nobody encoded: the last @ of all ends it. A path with one in
  // it loses its beginning when it is shown, which is better than showing a password.
  const std::size_t at = rest.rfind('@');
  if (at != std::string_view::npos && parts.scheme != "file") {
    parts.user = rest.substr(0, at);
    rest = rest.substr(at + 1);
  }
  parts.place = rest;
  return parts;
}

std::string decoded(const std::string& text) {
  const Text plain(g_uri_unescape_string(text.c_str(), nullptr));
  return plain ? plain.get() : text;
}

std::string encoded(const std::string& text) {
  const Text escaped(g_uri_escape_string(text.c_str(), nullptr, FALSE));
  return escaped ? escaped.get() : "";
}

}  // namespace

std::string why_no_camera(const std::string& uri) {
  if (uri.empty()) return "expected an address such as rtsp://camera/stream";
  if (!gst_uri_is_valid(uri.c_str()) || uri.find(':') < 2) {
    if (uri.starts_with("/dev/video")) return "\"" + uri + "\" has no scheme; write v4l2://" + uri;
    if (uri.starts_with("/")) return "\"" + uri + "\" has no scheme; write file://" + uri;
    if (uri.find('@') == std::string::npos && uri.find('?') == std::string::npos)
      return "\"" + uri + "\" has no scheme; write file:///… with the whole path, or rtsp://…";
    return "the address has no scheme, such as rtsp://…";
  }
  const Text scheme(gst_uri_get_protocol(uri.c_str()));
  if (!gst_uri_protocol_is_supported(GST_URI_SRC, scheme.get())) {
    return "no GStreamer element reads " + std::string(scheme.get()) +
           "://…; gst-inspect-1.0 --uri-handlers lists what can be read";
  }
  const Parts parts = parts_of(uri);
  if (parts.scheme == "file" && !parts.place.starts_with("/"))
    return "a file needs its whole path: file:///…";
  return {};
}

bool is_file(const std::string& uri) {
  return parts_of(uri).scheme == "file";
}

bool is_unpaced(const std::string& uri) {
  const std::string_view scheme = parts_of(uri).scheme;
  return is_file(uri) || scheme == "http" || scheme == "https";
}

bool has_password(const std::string& uri) {
  return parts_of(uri).user.find(':') != std::string_view::npos;
}

Redactor::Redactor(const std::string& uri, const std::string& password) {
  const Parts parts = parts_of(uri);
  shown_ =
      std::string(parts.scheme) + (parts.scheme.empty() ? "" : "://") + std::string(parts.place);
  const auto add = [&](const std::string& secret, const std::string& shown) {
    if (!secret.empty() && secret != shown) replaced_.emplace_back(secret, shown);
  };
  add(uri, shown_);
  if (!parts.user.empty()) {
    const std::string user(parts.user);
    add(user + "@", "");
    const std::size_t colon = user.find(':');
    if (colon != std::string::npos) {
      add(user.substr(colon + 1), "***");
      add(decoded(user.substr(colon + 1)), "***");
    }
  }
  if (!parts.query.empty()) add(std::string("?").append(parts.query), "");
  if (!password.empty()) {
    add(password, "***");
    add(encoded(password), "***");
  }
  std::sort(replaced_.begin(), replaced_.end(),
            [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

std::string Redactor::operator()(std::string text) const {
  for (const auto& [secret, shown] : replaced_) {
    for (std::size_t at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + shown.size()))
      text.replace(at, secret.size(), shown);
  }
  return text;
}

std::string with_credentials(const std::string& uri, const std::string& user,
                             const std::string& password) {
  if (user.empty()) return uri;
  const Parts parts = parts_of(uri);
  std::string whole = std::string(parts.scheme) + "://" + encoded(user) + ":" + encoded(password) +
                      "@" + std::string(parts.place);
  if (!parts.query.empty()) whole.append("?").append(parts.query);
  return whole;
}

}  // namespace fer
