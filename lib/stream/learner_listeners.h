// The listeners of a learner.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "stream/learner.h"

namespace fer {

/// One subscription. A listener that ends its own subscription may hold the mutex already.
struct ListenerState {
  explicit ListenerState(Learner::Listener told) : listener(std::move(told)) {}

  std::recursive_mutex mutex;  ///< Held while the listener is called.
  Learner::Listener listener;
  bool ended = false;  ///< Guarded by mutex.
};

/// Thread-safe. Listeners are called with none of its locks held but the subscription's own.
class LearnerListeners {
 public:
  /// Tells the last warning that came before at once, on the calling thread.
  std::shared_ptr<ListenerState> subscribe(Learner::Listener listener) {
    auto state = std::make_shared<ListenerState>(std::move(listener));
    std::string warning;
    {
      const std::lock_guard lock(mutex_);
      states_.push_back(state);
      warning = last_warning_;
    }
    if (!warning.empty() && state->listener.on_warning) state->listener.on_warning(warning);
    return state;
  }

  /// Calls `call(listener)` for each.
  template <typename Call>
  void tell(const Call& call) {
    change_and_tell([] {}, call);
  }

  /// Another model serves.
  void updated(const LearnerStats& now) {
    tell([&](const Learner::Listener& l) {
      if (l.on_updated) l.on_updated(now.serving_version, now.serving_score);
    });
  }
  void rolled_back(const std::string& reason) {
    tell([&](const Learner::Listener& l) {
      if (l.on_rolled_back) l.on_rolled_back(reason);
    });
  }
  void report(const LearnerStats& stats) {
    tell([&](const Learner::Listener& l) {
      if (l.on_report) l.on_report(stats);
    });
  }

  void warn(const std::string& warning) {
    // In one piece: who subscribes is told the last warning, and must not hear it twice.
    const auto note = [&] {
      last_warning_ = warning;
      ++warnings_;
    };
    change_and_tell(note, [&](const Learner::Listener& l) {
      if (l.on_warning) l.on_warning(warning);
    });
  }

  /// The last warning and how many there were.
  std::pair<std::string, std::uint64_t> warnings() const {
    const std::lock_guard lock(mutex_);
    return {last_warning_, warnings_};
  }

 private:
  /// `change()` runs with mutex_ held; who listens at that moment is told.
  template <typename Change, typename Call>
  void change_and_tell(const Change& change, const Call& call) {
    std::vector<std::shared_ptr<ListenerState>> listeners;
    {
      const std::lock_guard lock(mutex_);
      change();
      listeners = states_;
    }
    std::erase_if(listeners, [&](const auto& state) {
      const std::lock_guard lock(state->mutex);
      if (!state->ended) call(state->listener);
      return !state->ended;
    });
    // Those that are left have ended. Their locks are not held here: listeners may take this one
    // under theirs.
    const std::lock_guard lock(mutex_);
    std::erase_if(states_, [&](const auto& state) {
      return std::find(listeners.begin(), listeners.end(), state) != listeners.end();
    });
  }

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<ListenerState>> states_;
  std::string last_warning_;
  std::uint64_t warnings_ = 0;
};

}  // namespace fer
