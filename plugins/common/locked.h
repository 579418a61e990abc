// A value behind its own lock.
#pragma once

#include <mutex>
#include <utility>

namespace fer {

/// A value that threads share. Elements keep their settings and their state in one of these each:
/// take a copy, or do what little must be done inside with(), and never call out of the element
/// (signals, messages, pads, files) from inside.
template <typename T>
class Locked {
 public:
  template <typename... Args>
  explicit Locked(Args&&... args) : value_{std::forward<Args>(args)...} {}

  T copy() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

  /// Calls `body(value)` under the lock and returns what it returns.
  template <typename Body>
  auto with(Body&& body) {
    const std::lock_guard lock(mutex_);
    return std::forward<Body>(body)(value_);
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace fer
