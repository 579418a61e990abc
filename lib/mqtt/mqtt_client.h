// A connection to an MQTT broker that comes back by itself, by libmosquitto.
#pragma once

#include <mosquitto.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "mqtt/mqtt_address.h"

namespace fer {

struct MqttMessage {
  std::string topic, payload;
  int qos = 1;
  bool retain = false;
};

/// How a client connects.
struct MqttConnection {
  MqttAddress address;
  std::string client_id;         ///< Empty: the library makes one up.
  std::string ca_file;           ///< Whom to trust with TLS; empty: whom the system trusts.
  std::string certificate, key;  ///< Ours, where the broker wants one. Empty key: in the same file.
  std::string availability;      ///< The topic that says online or offline, retained.
  /// What is said at each connection, besides online.
  std::vector<MqttMessage> greetings;
  std::string online = "online";    ///< What availability says; empty: nothing at a connection.
  std::string offline = "offline";  ///< The same at the end: the last will.
  bool version_5 = false;           ///< MQTT 5 in place of 3.1.1.
  /// What arrives, on the library's thread; it must neither wait nor throw.
  std::function<void(MqttMessage message)> on_message = nullptr;
};

/// One thread uses it, but const functions may be called by any. The library's own thread reads,
/// writes and reconnects once the first connection was set up. A broker whose certificate does not
/// match is refused.
class MqttClient {
 public:
  /// Throws std::runtime_error with a sentence where a file of TLS cannot be read.
  explicit MqttClient(MqttConnection connection);
  ~MqttClient();
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  /// Whether a message can be published; waits for that as long at most. Connects, and says what is
  /// to be said at a connection. Throws std::runtime_error with a sentence where that fails in a
  /// way that people should know of; it may be called again.
  bool wait_ready(std::chrono::milliseconds limit);

  /// Hands over a message that counts, under a number of the caller's. Throws std::runtime_error
  /// with a sentence where it is lost.
  void publish(const MqttMessage& message, std::int64_t number);

  /// The numbers of messages that the broker has acknowledged since the last call. Those of quality
  /// of service 0 are among them once they were handed over: nobody acknowledges them.
  std::vector<std::int64_t> take_acknowledged();
  /// The numbers of those that reached nobody: with MQTT 5 the broker says where it does not want a
  /// message, and where nobody subscribes to its topic. They may be published again.
  std::vector<std::int64_t> take_undelivered();

  /// From now on, also after each reconnection. May be a shared one of MQTT 5 ($share/GROUP/TOPIC).
  void subscribe(const std::string& topic);
  void unsubscribe(const std::string& topic);

  /// Says offline and disconnects, if it can at once. The last call that counts.
  void close();

  bool connected() const;
  std::uint64_t reconnects() const;
  std::size_t room() const;            ///< How many more messages may be on the way.
  std::size_t in_flight() const;       ///< Messages that count and that may still be lost.
  std::uint64_t acknowledged() const;  ///< Messages whose receipt the broker confirmed.

 private:
  void set_up_tls();
  void connect();
  /// Says online, and the greetings, and subscribes.
  void greet();
  /// The library's number of the message.
  int hand_over(const MqttMessage& message);
  bool ready() const;
  // On the library's thread.
  void on_connect(int code);
  void on_disconnect(int code);
  void on_published(int id, int reason_code);
  void on_message(const mosquitto_message& message) noexcept;
  void on_log(int level, const std::string& text);

  const MqttConnection connection_;
  const std::string name_;
  mosquitto* client_ = nullptr;
  bool running_ = false;
  std::set<std::string> subscriptions_;
  std::chrono::steady_clock::time_point connect_at_{};

  mutable std::mutex mutex_;  ///< Guards what follows. Never held when the library is called.
  std::condition_variable changed_;
  bool connected_ = false;
  bool greeting_due_ = false;
  std::uint64_t connections_ = 0;          ///< So far.
  std::map<int, std::int64_t> in_flight_;  ///< The library's number → the caller's.
  std::set<int> early_;  ///< Acknowledged before the library told us their number.
  std::set<int> other_;  ///< Numbers of messages on the way that do not count.
  std::vector<std::int64_t> done_, undelivered_;
  std::uint64_t acknowledged_ = 0;
  std::string fault_;       ///< What publisher and user should hear of next.
  std::string last_error_;  ///< What the library last complained of.
  std::chrono::steady_clock::time_point complain_at_ = std::chrono::steady_clock::time_point::max();
};

}  // namespace fer
