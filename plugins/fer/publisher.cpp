#include "publisher.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace fer {
namespace {

/// How long a sink that failed is left alone.
constexpr std::chrono::milliseconds kRetry(50);

/// A pipe whose reader is gone shall fail the write, not kill the process.
void block_sigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

Publisher::Publisher(std::unique_ptr<LineSink> sink, std::size_t max_queue,
                     std::function<void(const std::string&)> on_fault)
    : sink_(std::move(sink)),
      on_fault_(std::move(on_fault)),
      max_queue_(std::max<std::size_t>(1, max_queue)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Publisher::~Publisher() = default;  // jthread requests the stop and joins

bool Publisher::push(FrameRecord record) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t dropped = stats_.dropped;
  queue_.push_back(std::move(record));
  drop_surplus();
  changed_.notify_all();
  return stats_.dropped == dropped;
}

void Publisher::set_max_queue(std::size_t max_queue) {
  const std::lock_guard lock(mutex_);
  max_queue_ = std::max<std::size_t>(1, max_queue);
  drop_surplus();
}

void Publisher::drop_surplus() {
  while (queue_.size() > max_queue_) {
    queue_.pop_front();
    ++stats_.dropped;
  }
}

bool Publisher::finish(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_lock lock(mutex_);
  const auto written = [&] { return queue_.empty() && !busy_ && sink_->settled(); };
  // A sink settles without telling, so this looks now and then.
  while (!written() && !interrupted_ && !sink_->ended() &&
         std::chrono::steady_clock::now() < deadline) {
    changed_.wait_for(lock, std::chrono::milliseconds(10));
  }
  return written();
}

void Publisher::interrupt(bool on) {
  const std::lock_guard lock(mutex_);
  interrupted_ = on;
  changed_.notify_all();
}

Publisher::Stats Publisher::stats() const {
  const std::lock_guard lock(mutex_);
  Stats stats = stats_;
  stats.queued = queue_.size();
  stats.connected = sink_->connected();
  stats.reconnects = sink_->reconnects();
  stats.acknowledged = sink_->acknowledged().value_or(stats.published);
  stats.spooled = sink_->spooled();
  stats.dropped += sink_->lost();
  return stats;
}

void Publisher::run(const std::stop_token& stop) {
  block_sigpipe();
  while (!stop.stop_requested() && !sink_->ended()) {
    try {
      // Twice: to be connected before the first record comes, and because much may have happened
      // until the next one came. What waits for the sink waits in the queue, where it grows old.
      if (sink_->wait_ready(stop) && wait_for_record(stop) && sink_->wait_ready(stop)) {
        publish_next(stop);
      }
    } catch (const std::exception& error) {
      on_fault_(error.what());
      // A sink that fails at once (a FIFO that somebody removed) fails at once again.
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, kRetry, [] { return false; });
    }
  }
}

bool Publisher::wait_for_record(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, stop, sink_->look_again(), [&] { return !queue_.empty(); });
}

void Publisher::publish_next(const std::stop_token& stop) {
  FrameRecord record;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return;
    record = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
  }
  std::size_t bytes = 0;
  bool written = false;
  try {
    const std::string line = to_json(record);
    sink_->write(line, stop);
    bytes = line.size();
    written = true;
  } catch (const std::exception& error) {
    // Who reads no more, as `head` does, has what was wanted.
    if (!sink_->ended()) on_fault_(error.what());
  }
  const std::lock_guard lock(mutex_);
  busy_ = false;
  ++(written ? stats_.published : stats_.dropped);
  stats_.bytes += bytes;
  changed_.notify_all();
}

}  // namespace fer
