// Takes records of frames off the streaming thread and hands them to a sink, line by line.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "frame-record.h"
#include "line-sink.h"

namespace fer {

/// A bounded queue and the thread that empties it. Whatever the sink does, push() returns at once.
/// Thread-safe.
class Publisher {
 public:
  struct Stats {
    std::uint64_t published = 0;     ///< Lines that the sink took.
    std::uint64_t acknowledged = 0;  ///< Of these, the lines whose receipt was confirmed.
    std::uint64_t dropped = 0;       ///< Records that were pushed out of a queue or failed.
    std::uint64_t bytes = 0;         ///< Of the lines that the sink took, line breaks left out.
    std::uint64_t spooled = 0;       ///< Lines that wait on disk.
    std::size_t queued = 0;
    bool connected = false;
    std::uint64_t reconnects = 0;  ///< Times that the sink came back after it was lost.
  };

  /// `on_fault` gets a sentence for each fault of the sink, on the publisher's thread.
  Publisher(std::unique_ptr<LineSink> sink, std::size_t max_queue,
            std::function<void(const std::string&)> on_fault);

  /// Ends the thread, after the line at hand at the latest; what is still queued is lost.
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// Queues a record. False where an older one had to make room for it.
  bool push(FrameRecord record);

  /// How many records may wait, at least one. Drops the oldest of those that are too many.
  void set_max_queue(std::size_t max_queue);

  /// Waits until all that was pushed is written, no longer than `timeout` and not at all while
  /// interrupted. Says whether it is.
  bool finish(std::chrono::milliseconds timeout);

  /// Whether nobody takes records any more, for good.
  bool ended() const { return sink_->ended(); }

  /// Ends a finish() that waits, and those that come; false lets them wait again.
  void interrupt(bool on);

  Stats stats() const;

 private:
  void run(const std::stop_token& stop);
  /// False now and then without one, so that a sink that was lost is told of, and comes back,
  /// though nothing is pushed.
  bool wait_for_record(const std::stop_token& stop);
  void publish_next(const std::stop_token& stop);
  void drop_surplus();

  const std::unique_ptr<LineSink> sink_;
  const std::function<void(const std::string&)> on_fault_;

  mutable std::mutex mutex_;  ///< Guards what follows. Not held while the sink is at work.
  std::condition_variable_any changed_;
  std::deque<FrameRecord> queue_;
  std::size_t max_queue_;
  bool busy_ = false;  ///< The thread has taken a record that it has not written yet.
  bool interrupted_ = false;
  Stats stats_;

  std::jthread thread_;  ///< The last member: it uses the others.
};

}  // namespace fer
