// Frames on their way from a stream's thread to the one that writes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "watch/face_row.h"

namespace fer {

/// Bounded. A file's stream waits while the queue is full; a camera's does not: the oldest frame
/// goes, and is counted.
class FrameQueue {
 public:
  explicit FrameQueue(bool waits) : waits_(waits) {}

  void push(SeenFrame frame) {
    std::unique_lock lock(mutex_);
    if (waits_) {
      changed_.wait(lock, [&] { return frames_.size() < kCapacity || closed_; });
    } else if (frames_.size() == kCapacity) {
      frames_.pop_front();
      ++dropped_;
    }
    if (closed_) return;
    frames_.push_back(std::move(frame));
    changed_.notify_all();
  }

  /// nullopt where none came in that time.
  std::optional<SeenFrame> pop(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return !frames_.empty(); })) return {};
    SeenFrame frame = std::move(frames_.front());
    frames_.pop_front();
    changed_.notify_all();
    return frame;
  }

  /// Nobody waits any more, and what comes is thrown away.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  std::size_t dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
  }

 private:
  static constexpr std::size_t kCapacity = 256;

  const bool waits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SeenFrame> frames_;
  std::size_t dropped_ = 0;
  bool closed_ = false;
};

}  // namespace fer
