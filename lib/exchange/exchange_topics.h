// Where at a broker the machines of a slot meet.
#pragma once

#include <string>

#include "mqtt/mqtt_client.h"

namespace fer {

/// How a machine reaches the broker.
struct ExchangeBroker {
  /// mqtt[s]://[user:password@]host[:port][/topic-base]; the base is "fer" where none is given.
  std::string address;
  std::string ca_file, certificate, key;  ///< As MqttConnection has them.
};

/// The topics of a slot, below BASE/SLOT.
struct ExchangeTopics {
  /// Throws std::runtime_error with a sentence where nobody can publish there.
  ExchangeTopics(const std::string& base, const std::string& slot);

  std::string evidence;         ///< …/evidence: from collectors to the learner.
  std::string shared_evidence;  ///< The same for services that share the work: one gets a message.
  std::string model;            ///< …/model, retained: what the learner promoted.
  std::string learner;          ///< …/learner, retained: which service learns.
  std::string learner_stats;    ///< …/learner/stats, retained: how it goes.
  std::string collectors;       ///< …/collector

  /// …/collector/NAME/available, retained: online or offline.
  std::string available(const std::string& collector) const;
  /// …/collector/NAME/serving, retained: the version that serves there.
  std::string serving(const std::string& collector) const;
};

/// A connection by MQTT 5 with the broker's topic base in `address.path`. Throws std::runtime_error
/// with a sentence where the address makes no sense.
MqttConnection exchange_connection(const ExchangeBroker& broker, const std::string& client_id);

}  // namespace fer
