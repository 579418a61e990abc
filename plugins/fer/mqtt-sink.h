// Lines as messages at an MQTT broker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "line-sink.h"

namespace fer {

struct MqttSettings {
  std::string address = "localhost:1883";  ///< As parse_mqtt_address() takes it.
  std::string topic = "fer/{source}/faces";
  std::string source;  ///< The camera's name, for the topic; may be empty.
  std::string client_id, ca_file, certificate, key;
  int qos = 1;
  bool retain = false;
  std::string discovery_prefix;  ///< Home Assistant's; empty: it is told nothing.
  std::string spool;             ///< A file; empty: what the broker does not take waits in memory.
  std::uint64_t spool_bytes = 0;
};

/// Messages of one line each, delivered at least once with a quality of service from 1. Connects in
/// the background, again and again. Beside the records' topic, `…/available` says online or
/// offline, also when this process dies. With a spool all lines are taken at once, kept on disk
/// until the broker has acknowledged them, and sent in order; the next process sends what is left.
///
/// Throws std::runtime_error with a sentence where address or topic make no sense, or where a file
/// of TLS or the spool cannot be used.
std::unique_ptr<LineSink> open_mqtt_sink(const MqttSettings& settings);

}  // namespace fer
