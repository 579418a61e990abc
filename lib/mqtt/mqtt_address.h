// Where an MQTT broker is, and which topics belong to a camera.
#pragma once

#include <string>

namespace fer {

struct MqttAddress {
  std::string host;
  int port = 0;
  bool tls = false;
  std::string user, password;
  std::string path = {};  ///< What follows the first / behind host and port; without it at the end.

  /// For sentences; without user and password.
  std::string name() const { return "The MQTT broker " + host + ":" + std::to_string(port); }
};

/// Of host, host:port, mqtt://[user:password@]host[:port][/path], or mqtts://… for TLS. The ports
/// are 1883 and 8883 where none is given. Throws std::runtime_error with a sentence, which never
/// holds user or password, where it is none.
MqttAddress parse_mqtt_address(const std::string& text);

/// The address for people to read: *** for user and password.
std::string shown_mqtt_address(const std::string& text);

/// The topic with the source's name in the place of {source}; without a source that level is left
/// out. What means something in topics (/ + #) becomes _ in the name. Throws std::runtime_error
/// with a sentence where nobody can publish to it.
std::string mqtt_topic(const std::string& pattern, const std::string& source);

}  // namespace fer
