// What makes Home Assistant show a camera's records by itself: MQTT discovery
// (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery).
#pragma once

#include <string>
#include <vector>

#include "mqtt/mqtt_client.h"

namespace fer {

/// Retained messages that describe two sensors of one device: the expression of the first face, and
/// how many faces there are. `prefix` is Home Assistant's own, "homeassistant" unless it was
/// changed; `topic` is where the records are, `source` the camera's name.
std::vector<MqttMessage> home_assistant_discovery(const std::string& prefix,
                                                  const std::string& topic,
                                                  const std::string& availability,
                                                  const std::string& source);

}  // namespace fer
