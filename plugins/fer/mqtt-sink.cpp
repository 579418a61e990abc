#include "mqtt-sink.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "home-assistant.h"
#include "mqtt/mqtt_client.h"
#ifdef HAVE_SPOOL
#include "mqtt/spool.h"
#endif

namespace fer {
namespace {

using std::chrono::milliseconds;

/// Without a spool a line waits so long for the broker before it is asked again what to do.
constexpr milliseconds kPatience(50);

MqttConnection connection_of(const MqttSettings& settings, const std::string& topic) {
  const std::string availability = topic + "/available";
  MqttConnection connection{parse_mqtt_address(settings.address),
                            settings.client_id,
                            settings.ca_file,
                            settings.certificate,
                            settings.key,
                            availability,
                            {}};
  if (!settings.discovery_prefix.empty()) {
    connection.greetings = home_assistant_discovery(mqtt_topic(settings.discovery_prefix, ""),
                                                    topic, availability, settings.source);
  }
  return connection;
}

class MqttSink : public LineSink {
 public:
  explicit MqttSink(const MqttSettings& settings)
      : topic_(mqtt_topic(settings.topic, settings.source)),
        qos_(settings.qos),
        retain_(settings.retain),
        client_(connection_of(settings, topic_)) {}

  bool wait_ready(const std::stop_token&) override {
    const bool ready = client_.wait_ready(kPatience);
    client_.take_acknowledged();
    return ready;
  }

  void write(const std::string& line, const std::stop_token&) override {
    client_.publish({topic_, line, qos_, retain_}, 0);
  }

  bool connected() const override { return client_.connected(); }
  std::uint64_t reconnects() const override { return client_.reconnects(); }
  bool settled() const override { return client_.in_flight() == 0; }
  std::optional<std::uint64_t> acknowledged() const override { return client_.acknowledged(); }

 protected:
  const std::string topic_;
  const int qos_;
  const bool retain_;
  MqttClient client_;
};

#ifdef HAVE_SPOOL
class SpooledMqttSink : public MqttSink {
 public:
  explicit SpooledMqttSink(const MqttSettings& settings)
      : MqttSink(settings), spool_(settings.spool, settings.spool_bytes) {
    waiting_ = spool_.lines();
  }
  ~SpooledMqttSink() override {
    client_.close();
    try {
      spool_.erase(client_.take_acknowledged());
    } catch (const std::exception&) {
      // The next process sends them again.
    }
  }

  /// Never waits for the broker: lines go to the disk at once.
  bool wait_ready(const std::stop_token&) override {
    send();
    return true;
  }

  void write(const std::string& line, const std::stop_token&) override {
    lost_ += spool_.push(topic_, line, sent_);
    waiting_ = spool_.lines();
  }

  bool settled() const override { return waiting_ == 0 || !client_.connected(); }
  std::uint64_t spooled() const override { return waiting_; }
  std::uint64_t lost() const override { return lost_; }
  milliseconds look_again() const override {
    return waiting_ > 0 && client_.connected() ? milliseconds(2) : LineSink::look_again();
  }

 private:
  /// Forgets what arrived, and sends as much of the rest as may be on the way at a time.
  void send() {
    const bool ready = client_.wait_ready(milliseconds(0));
    spool_.erase(client_.take_acknowledged());
    if (ready) {
      for (const Spool::Line& line : spool_.after(sent_, client_.room())) {
        client_.publish({line.topic, line.text, qos_, retain_}, line.id);
        sent_ = line.id;
      }
    }
    waiting_ = spool_.lines();
  }

  Spool spool_;
  std::int64_t sent_ = 0;  ///< The last line that is on its way.
  std::atomic<std::uint64_t> waiting_ = 0, lost_ = 0;
};
#endif

}  // namespace

std::unique_ptr<LineSink> open_mqtt_sink(const MqttSettings& settings) {
  if (settings.spool.empty()) return std::make_unique<MqttSink>(settings);
#ifdef HAVE_SPOOL
  return std::make_unique<SpooledMqttSink>(settings);
#else
  throw std::runtime_error("A spool needs SQLite, without which gst-fer was built.");
#endif
}

}  // namespace fer
