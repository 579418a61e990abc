// A real MQTT broker on the loopback interface, and somebody who listens to it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <mosquitto.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "scoped.h"

namespace fer::test {

/// Waits until it holds; false after half a minute.
inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 3000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

/// The program `mosquitto`, which serves this machine only.
class Broker {
 public:
  /// Without a configuration.
  explicit Broker(int port) {
    const std::string number = std::to_string(port);
    start({MOSQUITTO, "-p", number.c_str(), nullptr});
  }
  /// With the lines of a configuration that names its listener. As root the broker would become
  /// another user, who cannot read the test's files.
  Broker(int port, const std::string& lines) {
    const auto file = folder_.write(
        "mosquitto.conf", "user root\nlistener " + std::to_string(port) + " 127.0.0.1\n" + lines);
    start({MOSQUITTO, "-c", file.c_str(), nullptr});
  }
  ~Broker() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

 private:
  void start(std::vector<const char*> arguments) {
    posix_spawn_file_actions_t quietly;
    posix_spawn_file_actions_init(&quietly);
    posix_spawn_file_actions_addopen(&quietly, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quietly, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn(&process_, MOSQUITTO, &quietly, nullptr, const_cast<char**>(arguments.data()),
                environ);
    posix_spawn_file_actions_destroy(&quietly);
  }

  ScopedFolder folder_;
  pid_t process_ = 0;
};

/// Collects what is published; waits for the broker to be there.
class Subscriber {
 public:
  struct Message {
    std::string topic, text;
    bool retained;
  };
  using SetUp = std::function<void(mosquitto*)>;

  /// `set_up`: what it needs to connect.
  Subscriber(int port, const std::string& topic, const SetUp& set_up = nullptr)
      : client_(mosquitto_new(nullptr, true, this)) {
    if (set_up) set_up(client_);
    mosquitto_subscribe_callback_set(client_, [](mosquitto*, void* self, int, int, const int*) {
      static_cast<Subscriber*>(self)->subscribed_ = true;
    });
    mosquitto_message_callback_set(client_,
                                   [](mosquitto*, void* self, const mosquitto_message* message) {
                                     static_cast<Subscriber*>(self)->messages_.push_back(
                                         {message->topic,
                                          {static_cast<const char*>(message->payload),
                                           static_cast<std::size_t>(message->payloadlen)},
                                          message->retain});
                                   });
    EXPECT_TRUE(eventually(
        [&] { return mosquitto_connect(client_, "127.0.0.1", port, 10) == MOSQ_ERR_SUCCESS; }));
    mosquitto_subscribe(client_, nullptr, topic.c_str(), 1);
    EXPECT_TRUE(eventually([&] {
      mosquitto_loop(client_, 10, 1);
      return subscribed_;
    }));
  }
  ~Subscriber() { mosquitto_destroy(client_); }
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  /// All messages so far, once `enough` says so.
  const std::vector<Message>& until(
      const std::function<bool(const std::vector<Message>&)>& enough) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!enough(messages_)) {
      if (std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << "only " << messages_.size() << " messages came";
        break;
      }
      mosquitto_loop(client_, 10, 1);
    }
    return messages_;
  }

  /// The records, once there are that many.
  std::vector<nlohmann::json> wait_for(std::size_t count) {
    until([&](const std::vector<Message>& messages) {
      return static_cast<std::size_t>(std::count_if(messages.begin(), messages.end(), is_record)) >=
             count;
    });
    return records();
  }

  /// The last message of the topic, once it is that.
  void wait_for_last(const std::string& topic, const std::string& text) {
    until([&](const std::vector<Message>& messages) {
      const Message* last = nullptr;
      for (const Message& message : messages) {
        if (message.topic == topic) last = &message;
      }
      return last != nullptr && last->text == text;
    });
  }

 private:
  static bool is_record(const Message& message) {
    return !message.topic.ends_with("/available") && !message.topic.ends_with("/config");
  }
  std::vector<nlohmann::json> records() const {
    std::vector<nlohmann::json> found;
    for (const Message& message : messages_) {
      if (is_record(message)) found.push_back(nlohmann::json::parse(message.text));
    }
    return found;
  }

  mosquitto* client_;
  bool subscribed_ = false;
  std::vector<Message> messages_;
};

}  // namespace fer::test
