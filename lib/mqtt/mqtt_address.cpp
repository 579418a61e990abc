#include "mqtt/mqtt_address.h"

#include <glib.h>
#include <mosquitto.h>

#include <memory>
#include <stdexcept>

namespace fer {
namespace {

constexpr int kPort = 1883, kTlsPort = 8883;

using UriPtr = std::unique_ptr<GUri, decltype(&g_uri_unref)>;

std::string with_scheme(const std::string& address) {
  return address.find("://") == std::string::npos ? "mqtt://" + address : address;
}

/// Null, and why, where it is no address.
UriPtr parse_uri(const std::string& address, std::string& reason) {
  GError* error = nullptr;
  UriPtr uri(g_uri_parse(with_scheme(address).c_str(), G_URI_FLAGS_HAS_PASSWORD, &error),
             g_uri_unref);
  if (!uri) {
    reason = error->message;
    g_error_free(error);
  }
  return uri;
}

/// The address with `instead` for what may be a password: whatever stands before its last @.
std::string hide_user(const std::string& address, const std::string& instead) {
  const std::size_t end = address.rfind('@');
  if (end == std::string::npos) return address;
  const std::size_t scheme = address.find("://");
  const std::size_t begin = scheme < end ? scheme + 3 : 0;
  return address.substr(0, begin) + instead + address.substr(end + 1);
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

MqttAddress parse_mqtt_address(const std::string& text) {
  const std::string shown = hide_user(text, "");
  const auto refuse = [&](const std::string& reason) {
    throw std::runtime_error(
        "The address \"" + shown +
        "\" is not host, host:port or mqtt[s]://[user:password@]host[:port]: " + reason + ".");
  };
  std::string reason;
  const UriPtr owner = parse_uri(text, reason);
  if (!owner) {
    // GLib's reason may quote a part of the password.
    const bool without_it_too = shown == text || !parse_uri(shown, reason);
    refuse(without_it_too ? reason
                          : "the user or the password before it has a character that an address "
                            "must write as %XX");
  }
  GUri* uri = owner.get();
  const auto text_of = [](const char* part) { return std::string(part == nullptr ? "" : part); };
  const std::string scheme = text_of(g_uri_get_scheme(uri));
  const bool tls = scheme == "mqtts" || scheme == "ssl";
  MqttAddress address{text_of(g_uri_get_host(uri)),
                      g_uri_get_port(uri),
                      tls,
                      text_of(g_uri_get_user(uri)),
                      text_of(g_uri_get_password(uri)),
                      ""};
  if (!tls && scheme != "mqtt" && scheme != "tcp") refuse("it begins with " + scheme + "://");
  address.path = text_of(g_uri_get_path(uri));
  while (address.path.starts_with('/')) address.path.erase(0, 1);
  while (address.path.ends_with('/')) address.path.pop_back();
  if (address.host.empty()) refuse("it names no host");
  if (address.port < 0) address.port = tls ? kTlsPort : kPort;
  return address;
}

std::string shown_mqtt_address(const std::string& text) {
  return hide_user(text, "***@");
}

std::string mqtt_topic(const std::string& pattern, const std::string& source) {
  std::string name = source;
  for (char& letter : name) {
    if (letter == '/' || letter == '+' || letter == '#') letter = '_';
  }
  std::string topic = pattern;
  if (name.empty()) {
    replace_all(topic, "{source}/", "");
    replace_all(topic, "/{source}", "");
  }
  replace_all(topic, "{source}", name);
  if (topic.empty() || mosquitto_pub_topic_check(topic.c_str()) != MOSQ_ERR_SUCCESS) {
    throw std::runtime_error("The topic \"" + topic +
                             "\" cannot be published to: it is empty or has a wildcard (+, #).");
  }
  return topic;
}

}  // namespace fer
