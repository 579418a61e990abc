#include "mqtt/mqtt_client.h"

#include <fcntl.h>
#include <mqtt_protocol.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace fer {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kKeepaliveSeconds = 15;
/// Messages on the way to the broker. More wait with the caller.
constexpr std::size_t kMaxInFlight = 100;
/// How long the end waits until the broker knows that we are offline.
constexpr milliseconds kFarewell(500);

/// Where Debian keeps the certificates of those whom the system trusts.
constexpr const char* kSystemCertificates = "/etc/ssl/certs";

/// Without the full stop that the library ends most of them with.
std::string reason(int result) {
  std::string text = result == MOSQ_ERR_ERRNO ? std::strerror(errno) : mosquitto_strerror(result);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

void require_readable(const char* what, const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    throw std::runtime_error(std::string(what) + " " + path +
                             " cannot be read: " + std::generic_category().message(errno) + ".");
  }
  close(file);
}

/// A key that needs a password is refused rather than asked for at a terminal.
int no_password(char*, int, int, void*) {
  return 0;
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

}  // namespace

MqttClient::MqttClient(MqttConnection connection)
    : connection_(std::move(connection)), name_(connection_.address.name()) {
  mosquitto_lib_init();
  client_ = mosquitto_new(or_null(connection_.client_id), true, this);
  if (client_ == nullptr) {
    const int error = errno;
    mosquitto_lib_cleanup();
    throw std::runtime_error(std::string("The MQTT client \"") + connection_.client_id +
                             "\" cannot be made: " + std::generic_category().message(error) + ".");
  }
  try {
    set_up_tls();
  } catch (...) {
    mosquitto_destroy(client_);
    mosquitto_lib_cleanup();
    throw;
  }
  const MqttAddress& address = connection_.address;
  if (!address.user.empty()) {
    mosquitto_username_pw_set(client_, address.user.c_str(), address.password.c_str());
  }
  if (connection_.version_5)
    mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_will_set(client_, connection_.availability.c_str(),
                     static_cast<int>(connection_.offline.size()), connection_.offline.data(), 1,
                     true);
  mosquitto_reconnect_delay_set(client_, 1, 1, false);
  mosquitto_max_inflight_messages_set(client_, kMaxInFlight);
  mosquitto_connect_callback_set(client_, [](mosquitto*, void* self, int code) {
    static_cast<MqttClient*>(self)->on_connect(code);
  });
  mosquitto_disconnect_callback_set(client_, [](mosquitto*, void* self, int code) {
    static_cast<MqttClient*>(self)->on_disconnect(code);
  });
  mosquitto_publish_v5_callback_set(
      client_, [](mosquitto*, void* self, int id, int reason_code, const mosquitto_property*) {
        static_cast<MqttClient*>(self)->on_published(id, reason_code);
      });
  mosquitto_message_callback_set(client_,
                                 [](mosquitto*, void* self, const mosquitto_message* message) {
                                   static_cast<MqttClient*>(self)->on_message(*message);
                                 });
  mosquitto_log_callback_set(client_, [](mosquitto*, void* self, int level, const char* text) {
    static_cast<MqttClient*>(self)->on_log(level, text);
  });
}

MqttClient::~MqttClient() {
  close();
  mosquitto_destroy(client_);
  mosquitto_lib_cleanup();
}

void MqttClient::close() {
  if (!std::exchange(running_, false)) return;
  try {
    if (connected()) hand_over({connection_.availability, connection_.offline, 1, true});
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kFarewell,
                      [&] { return !connected_ || (other_.empty() && in_flight_.empty()); });
  } catch (const std::exception&) {
    // The broker says it for us: that is our last will.
  }
  // The library's thread may hang for minutes, in a connection attempt or with a peer that is
  // silent: then it is cancelled.
  const bool hangs = !connected() || in_flight() > 0;
  mosquitto_disconnect(client_);
  mosquitto_loop_stop(client_, hangs);
}

void MqttClient::set_up_tls() {
  const MqttConnection& wanted = connection_;
  if (!wanted.address.tls) {
    if (!wanted.ca_file.empty() || !wanted.certificate.empty() || !wanted.key.empty()) {
      throw std::runtime_error(name_ +
                               " is named without TLS, for which the certificates are: write its "
                               "address as mqtts://.");
    }
    return;
  }
  if (!wanted.ca_file.empty()) require_readable("The CA file", wanted.ca_file);
  if (!wanted.certificate.empty()) require_readable("The certificate", wanted.certificate);
  if (!wanted.key.empty()) require_readable("The key", wanted.key);
  if (!wanted.key.empty() && wanted.certificate.empty()) {
    throw std::runtime_error(std::string("The key ") + wanted.key +
                             " has no certificate: set cert-file.");
  }
  const std::string& key = wanted.key.empty() ? wanted.certificate : wanted.key;
  // The library speaks TLS only where a place of CAs is named: never leave it out.
  int result = mosquitto_tls_set(client_, or_null(wanted.ca_file),
                                 wanted.ca_file.empty() ? kSystemCertificates : nullptr,
                                 or_null(wanted.certificate), or_null(key), no_password);
  if (result == MOSQ_ERR_SUCCESS && wanted.ca_file.empty()) {
    result = mosquitto_int_option(client_, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
  }
  if (result != MOSQ_ERR_SUCCESS) {
    throw std::runtime_error(name_ + " cannot be reached by TLS: " + reason(result) + ".");
  }
}

bool MqttClient::wait_ready(milliseconds limit) {
  if (!running_) connect();
  bool greeting = false;
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, limit, [&] { return ready() || greeting_due_ || !fault_.empty(); });
    if (!fault_.empty()) throw std::runtime_error(std::exchange(fault_, ""));
    if (!connected_ && Clock::now() > complain_at_) {
      complain_at_ = Clock::now() + seconds(2);
      throw std::runtime_error(name_ + " cannot be reached" +
                               (last_error_.empty() ? "" : ": " + last_error_) + ".");
    }
    greeting = connected_ && std::exchange(greeting_due_, false);
  }
  if (greeting) greet();
  const std::lock_guard lock(mutex_);
  return ready();
}

bool MqttClient::ready() const {
  return connected_ && in_flight_.size() < kMaxInFlight;
}

void MqttClient::greet() {
  if (!connection_.online.empty())
    hand_over({connection_.availability, connection_.online, 1, true});
  for (const MqttMessage& message : connection_.greetings) hand_over(message);
  for (const std::string& topic : subscriptions_)
    mosquitto_subscribe(client_, nullptr, topic.c_str(), 1);
}

void MqttClient::subscribe(const std::string& topic) {
  subscriptions_.insert(topic);
  // Where there is no connection, the next one greets with it.
  if (connected()) mosquitto_subscribe(client_, nullptr, topic.c_str(), 1);
}

void MqttClient::unsubscribe(const std::string& topic) {
  if (subscriptions_.erase(topic) > 0 && connected())
    mosquitto_unsubscribe(client_, nullptr, topic.c_str());
}

int MqttClient::hand_over(const MqttMessage& message) {
  int id = 0;
  const int result = mosquitto_publish(client_, &id, message.topic.c_str(),
                                       static_cast<int>(message.payload.size()),
                                       message.payload.data(), message.qos, message.retain);
  // Without a connection the library keeps the message and sends it after the next one.
  if (result != MOSQ_ERR_SUCCESS && result != MOSQ_ERR_NO_CONN) {
    throw std::runtime_error(name_ + " was not sent a message: " + reason(result) + ".");
  }
  const std::lock_guard lock(mutex_);
  if (early_.erase(id) == 0) other_.insert(id);
  early_.clear();  // Of messages that are long forgotten: one thread hands over at a time.
  return id;
}

void MqttClient::publish(const MqttMessage& message, std::int64_t number) {
  const int id = hand_over(message);
  const std::lock_guard lock(mutex_);
  if (message.qos == 0) {
    done_.push_back(number);
  } else if (other_.erase(id) == 0) {
    ++acknowledged_;
    done_.push_back(number);
  } else {
    in_flight_.emplace(id, number);
  }
}

std::vector<std::int64_t> MqttClient::take_acknowledged() {
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

std::vector<std::int64_t> MqttClient::take_undelivered() {
  const std::lock_guard lock(mutex_);
  return std::exchange(undelivered_, {});
}

bool MqttClient::connected() const {
  const std::lock_guard lock(mutex_);
  return connected_;
}

std::uint64_t MqttClient::reconnects() const {
  const std::lock_guard lock(mutex_);
  return connections_ > 0 ? connections_ - 1 : 0;
}

std::size_t MqttClient::room() const {
  return kMaxInFlight - std::min(in_flight(), kMaxInFlight);
}

std::size_t MqttClient::in_flight() const {
  const std::lock_guard lock(mutex_);
  return in_flight_.size();
}

std::uint64_t MqttClient::acknowledged() const {
  const std::lock_guard lock(mutex_);
  return acknowledged_;
}

void MqttClient::connect() {
  if (Clock::now() < connect_at_) return;
  connect_at_ = Clock::now() + seconds(1);
  const MqttAddress& address = connection_.address;
  int result =
      mosquitto_connect_async(client_, address.host.c_str(), address.port, kKeepaliveSeconds);
  if (result == MOSQ_ERR_SUCCESS) result = mosquitto_loop_start(client_);
  const std::lock_guard lock(mutex_);
  if (result != MOSQ_ERR_SUCCESS) {
    throw std::runtime_error(name_ + " cannot be reached: " +
                             (last_error_.empty() ? reason(result) : last_error_) + ".");
  }
  running_ = true;
  complain_at_ = Clock::now() + seconds(2);
}

// --- On the library's thread.

void MqttClient::on_connect(int code) {
  const std::lock_guard lock(mutex_);
  connected_ = code == 0;
  if (connected_) {
    ++connections_;
    greeting_due_ = true;
    last_error_.clear();
  } else {
    fault_ =
        name_ + " refused the connection: " +
        (connection_.version_5 ? mosquitto_reason_string(code) : mosquitto_connack_string(code));
  }
  changed_.notify_all();
}

void MqttClient::on_disconnect(int code) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(connected_, false) && code != 0) {
    fault_ = name_ + " has been lost: " + reason(code) + ".";
  } else if (code != 0 && last_error_.empty()) {
    last_error_ = reason(code);
  }
  complain_at_ = Clock::now() + seconds(2);
  changed_.notify_all();
}

void MqttClient::on_published(int id, int reason_code) {
  const std::lock_guard lock(mutex_);
  if (reason_code >= MQTT_RC_UNSPECIFIED) {
    fault_ = name_ + " refused a message: " + mosquitto_reason_string(reason_code) + ".";
  }
  if (const auto found = in_flight_.find(id); found != in_flight_.end()) {
    const bool delivered = reason_code == MQTT_RC_SUCCESS;
    (delivered ? done_ : undelivered_).push_back(found->second);
    in_flight_.erase(found);
    acknowledged_ += delivered ? 1 : 0;
  } else if (other_.erase(id) == 0) {
    early_.insert(id);
  }
  changed_.notify_all();
}

void MqttClient::on_message(const mosquitto_message& message) noexcept {
  if (!connection_.on_message) return;
  try {
    connection_.on_message({message.topic,
                            std::string(static_cast<const char*>(message.payload),
                                        static_cast<std::size_t>(std::max(message.payloadlen, 0))),
                            message.qos, message.retain});
  } catch (const std::exception&) {
    // No memory for it: it is lost, as on the way.
  }
}

void MqttClient::on_log(int level, const std::string& text) {
  if (level != MOSQ_LOG_ERR && level != MOSQ_LOG_WARNING) return;
  // OpenSSL's "error:0A000086:SSL routines::certificate verify failed" says it at its end.
  const std::size_t colon =
      text.find("error:") == std::string::npos ? std::string::npos : text.rfind(':');
  std::string said = colon == std::string::npos ? text : text.substr(colon + 1);
  while (said.ends_with('.') || said.ends_with('\n')) said.pop_back();
  const std::lock_guard lock(mutex_);
  last_error_ = std::move(said);
}

}  // namespace fer
