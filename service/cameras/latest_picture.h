// A camera's newest picture, for as many as look at it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace fer {

/// Holds one picture and never a queue: who is slow misses pictures, and nobody waits for them.
/// Thread-safe.
class LatestPicture {
 public:
  using Bytes = std::shared_ptr<const std::string>;
  struct Seen {
    Bytes jpeg;  ///< Null where none came in time.
    std::uint64_t number = 0;
    bool closed = false;  ///< None will come.
  };

  void put(std::string jpeg) {
    auto bytes = std::make_shared<const std::string>(std::move(jpeg));
    {
      const std::lock_guard lock(mutex_);
      latest_ = std::move(bytes);
      ++number_;
    }
    changed_.notify_all();
  }

  /// Forgets the picture, so that nobody takes an old one for what the camera shows.
  void clear() {
    const std::lock_guard lock(mutex_);
    latest_ = nullptr;
  }

  /// The camera is taken away: all who wait are told.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }

  /// The picture where it is newer than number `after`; waits for it until `timeout`.
  Seen next(std::uint64_t after, std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return closed_ || (latest_ && number_ > after); });
    if (closed_ || !latest_ || number_ <= after) return {nullptr, after, closed_};
    return {latest_, number_};
  }

  /// While one lives, pictures are made; without any, a camera makes none.
  class Viewer {
   public:
    explicit Viewer(std::shared_ptr<LatestPicture> picture) : picture_(std::move(picture)) {
      picture_->add_viewers(1);
    }
    ~Viewer() {
      if (picture_) picture_->add_viewers(-1);
    }
    Viewer(Viewer&& other) noexcept = default;
    Viewer& operator=(Viewer&&) = delete;

    LatestPicture& operator*() const { return *picture_; }
    LatestPicture* operator->() const { return picture_.get(); }

   private:
    std::shared_ptr<LatestPicture> picture_;
  };

  bool watched() const {
    const std::lock_guard lock(mutex_);
    return viewers_ > 0;
  }

 private:
  void add_viewers(int more) {
    const std::lock_guard lock(mutex_);
    viewers_ += more;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Bytes latest_;
  std::uint64_t number_ = 0;
  int viewers_ = 0;
  bool closed_ = false;
};

}  // namespace fer
