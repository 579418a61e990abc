// News for all who look at the page, each at a pace of their own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fer {

/// Hands each event to every subscriber, as server-sent events have it. Queues are bounded: who
/// does not keep up loses the oldest. Thread-safe.
class EventHub {
 public:
  static constexpr std::size_t kQueue = 64;

  class Subscriber {
   public:
    /// The next event; waits for it until `timeout`. nullopt where none came.
    std::optional<std::string> next(std::chrono::milliseconds timeout);
    /// Events that were lost.
    std::size_t lost() const;

   private:
    friend class EventHub;
    void push(const std::string& event);
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<std::string> events_;
    std::size_t lost_ = 0;
  };

  /// Subscribed as long as the pointer lives.
  std::shared_ptr<Subscriber> subscribe();
  /// `data`: one line.
  void publish(const std::string& kind, const std::string& data);
  /// Whether anybody listens.
  bool listened() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Subscriber>> subscribers_;
};

}  // namespace fer
