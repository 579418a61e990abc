#include <glib.h>
#include <mosquitto.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "line-sink.h"

namespace fer {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kDefaultPort = 1883;
constexpr int kKeepaliveSeconds = 15;
constexpr int kAtLeastOnce = 1;
/// Messages on the way to the broker. More wait in the publisher's queue, which is bounded.
constexpr int kMaxInFlight = 20;

struct Address {
  std::string host;
  int port = kDefaultPort;
  std::string user, password;

  std::string name() const { return "The MQTT broker " + host + ":" + std::to_string(port); }
};

using UriPtr = std::unique_ptr<GUri, decltype(&g_uri_unref)>;

/// Null, and why, where it is no address.
UriPtr parse_uri(const std::string& address, std::string& reason) {
  const std::string with_scheme =
      address.find("://") == std::string::npos ? "mqtt://" + address : address;
  GError* error = nullptr;
  UriPtr uri(g_uri_parse(with_scheme.c_str(), G_URI_FLAGS_HAS_PASSWORD, &error), g_uri_unref);
  if (!uri) {
    reason = error->message;
    g_error_free(error);
  }
  return uri;
}

/// The address for people to read: whatever stands before its last @ may be a password.
std::string without_user(const std::string& address) {
  const std::size_t end = address.rfind('@');
  if (end == std::string::npos) return address;
  const std::size_t scheme = address.find("://");
  const std::size_t begin = scheme < end ? scheme + 3 : 0;
  return address.substr(0, begin) + address.substr(end + 1);
}

Address parse_address(const std::string& text) {
  const std::string shown = without_user(text);
  const auto refuse = [&](const std::string& reason) {
    throw std::runtime_error(
        "The address \"" + shown +
        "\" is not host, host:port or mqtt://[user:password@]host[:port]: " + reason + ".");
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
  Address address{text_of(g_uri_get_host(uri)), g_uri_get_port(uri), text_of(g_uri_get_user(uri)),
                  text_of(g_uri_get_password(uri))};
  if (scheme != "mqtt" && scheme != "tcp") refuse("it begins with " + scheme + "://");
  if (address.host.empty()) refuse("it names no host");
  if (address.port < 0) address.port = kDefaultPort;
  return address;
}

/// Without the full stop that the library ends most of them with.
std::string reason(int result) {
  std::string text = result == MOSQ_ERR_ERRNO ? std::strerror(errno) : mosquitto_strerror(result);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

/// The library's own thread reads, writes and reconnects once the first connection was set up.
class MqttSink : public LineSink {
 public:
  MqttSink(Address address, std::string topic)
      : address_(std::move(address)), topic_(std::move(topic)) {
    mosquitto_lib_init();
    client_ = mosquitto_new(nullptr, true, this);
    if (client_ == nullptr) throw std::runtime_error("There is no memory for an MQTT client.");
    if (!address_.user.empty()) {
      mosquitto_username_pw_set(client_, address_.user.c_str(), address_.password.c_str());
    }
    mosquitto_reconnect_delay_set(client_, 1, 1, false);
    mosquitto_max_inflight_messages_set(client_, kMaxInFlight);
    mosquitto_connect_callback_set(client_, [](mosquitto*, void* self, int code) {
      static_cast<MqttSink*>(self)->on_connect(code);
    });
    mosquitto_disconnect_callback_set(client_, [](mosquitto*, void* self, int code) {
      static_cast<MqttSink*>(self)->on_disconnect(code);
    });
    mosquitto_publish_callback_set(
        client_, [](mosquitto*, void* self, int) { static_cast<MqttSink*>(self)->on_published(); });
  }

  ~MqttSink() override {
    if (running_) {
      // Its thread may hang for minutes, in a connection attempt or with a peer that is silent:
      // then it is cancelled.
      const bool hangs = !connected() || !settled();
      mosquitto_disconnect(client_);
      mosquitto_loop_stop(client_, hangs);
    }
    mosquitto_destroy(client_);
    mosquitto_lib_cleanup();
  }

  bool wait_ready(const std::stop_token&) override {
    if (!running_) connect();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, milliseconds(50), [&] { return ready() || !fault_.empty(); });
    if (!fault_.empty()) throw std::runtime_error(std::exchange(fault_, ""));
    if (!connected_ && Clock::now() > complain_at_) {
      complain_at_ = Clock::now() + seconds(2);
      throw std::runtime_error(address_.name() + " cannot be reached.");
    }
    return ready();
  }

  void write(const std::string& line, const std::stop_token&) override {
    {
      const std::lock_guard lock(mutex_);
      ++in_flight_;
    }
    const int result =
        mosquitto_publish(client_, nullptr, topic_.c_str(), static_cast<int>(line.size()),
                          line.data(), kAtLeastOnce, false);
    // Without a connection the library keeps the message and sends it after the next one.
    if (result == MOSQ_ERR_SUCCESS || result == MOSQ_ERR_NO_CONN) return;
    on_published();
    throw std::runtime_error(address_.name() + " was not sent a message: " + reason(result) + ".");
  }

  bool connected() const override {
    const std::lock_guard lock(mutex_);
    return connected_;
  }

  std::uint64_t reconnects() const override {
    const std::lock_guard lock(mutex_);
    return connections_ > 0 ? connections_ - 1 : 0;
  }

  bool settled() const override {
    const std::lock_guard lock(mutex_);
    return in_flight_ == 0;
  }

 private:
  bool ready() const { return connected_ && in_flight_ < kMaxInFlight; }

  /// Resolves the host and begins to connect; where that fails, tries again a second later.
  void connect() {
    if (Clock::now() < connect_at_) return;
    connect_at_ = Clock::now() + seconds(1);
    int result =
        mosquitto_connect_async(client_, address_.host.c_str(), address_.port, kKeepaliveSeconds);
    if (result == MOSQ_ERR_SUCCESS) result = mosquitto_loop_start(client_);
    if (result != MOSQ_ERR_SUCCESS) {
      throw std::runtime_error(address_.name() + " cannot be reached: " + reason(result) + ".");
    }
    running_ = true;
    const std::lock_guard lock(mutex_);
    complain_at_ = Clock::now() + seconds(2);
  }

  // --- On the library's thread.

  void on_connect(int code) {
    const std::lock_guard lock(mutex_);
    connected_ = code == 0;
    if (connected_) {
      ++connections_;
    } else {
      fault_ = address_.name() + " refused the connection: " + mosquitto_connack_string(code);
    }
    changed_.notify_all();
  }

  void on_disconnect(int code) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(connected_, false) && code != 0) {
      fault_ = address_.name() + " has been lost: " + reason(code) + ".";
    }
    complain_at_ = Clock::now() + seconds(2);
    changed_.notify_all();
  }

  void on_published() {
    const std::lock_guard lock(mutex_);
    --in_flight_;
    changed_.notify_all();
  }

  const Address address_;
  const std::string topic_;
  mosquitto* client_ = nullptr;
  // Of the publisher's thread.
  bool running_ = false;
  Clock::time_point connect_at_{};

  mutable std::mutex mutex_;  ///< Guards what follows. Never held when the library is called.
  std::condition_variable changed_;
  bool connected_ = false;
  std::uint64_t connections_ = 0;  ///< So far.
  int in_flight_ = 0;
  std::string fault_;  ///< What publisher and user should hear of next.
  Clock::time_point complain_at_ = Clock::time_point::max();
};

}  // namespace

std::unique_ptr<LineSink> open_mqtt_sink(const std::string& address, const std::string& topic) {
  if (topic.empty() || mosquitto_pub_topic_check(topic.c_str()) != MOSQ_ERR_SUCCESS) {
    throw std::runtime_error("The topic \"" + topic +
                             "\" cannot be published to: it is empty or has a wildcard (+, #).");
  }
  return std::make_unique<MqttSink>(parse_address(address), topic);
}

}  // namespace fer
