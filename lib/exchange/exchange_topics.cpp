#include "exchange/exchange_topics.h"

namespace fer {

ExchangeTopics::ExchangeTopics(const std::string& base, const std::string& slot) {
  const std::string root = mqtt_topic(base + "/{source}", slot.empty() ? "slot" : slot);
  evidence = root + "/evidence";
  shared_evidence = "$share/fer-learn/" + evidence;
  model = root + "/model";
  learner = root + "/learner";
  learner_stats = learner + "/stats";
  collectors = root + "/collector";
}

std::string ExchangeTopics::available(const std::string& collector) const {
  return mqtt_topic(collectors + "/{source}/available", collector);
}

std::string ExchangeTopics::serving(const std::string& collector) const {
  return mqtt_topic(collectors + "/{source}/serving", collector);
}

MqttConnection exchange_connection(const ExchangeBroker& broker, const std::string& client_id) {
  MqttConnection connection;
  connection.address = parse_mqtt_address(broker.address);
  if (connection.address.path.empty()) connection.address.path = "fer";
  connection.client_id = client_id;
  connection.ca_file = broker.ca_file;
  connection.certificate = broker.certificate;
  connection.key = broker.key;
  connection.version_5 = true;
  return connection;
}

}  // namespace fer
