// Frames a second, at most.
#pragma once

#include <cstdint>

namespace fer {

/// Says which frames pass by their own times, so that streams that tell no frame rate are thinned
/// as well. Free of GStreamer; of one thread.
class RateGate {
 public:
  /// `rate`: frames a second; 0: all pass.
  explicit RateGate(double rate)
      : period_ns_(rate > 0 ? static_cast<std::int64_t>(1e9 / rate) : 0) {}

  /// Whether the frame of this time passes. A time far from the last one begins anew: a seek.
  bool passes(std::int64_t time_ns) {
    if (period_ns_ == 0) return true;
    const bool jumped = time_ns < last_ns_ || time_ns > next_ns_ + kGap * period_ns_;
    last_ns_ = time_ns;
    // Times jitter: a tenth too early is in time.
    if (!jumped && time_ns < next_ns_ - period_ns_ / 10) return false;
    next_ns_ = (jumped ? time_ns : next_ns_) + period_ns_;
    return true;
  }

 private:
  static constexpr std::int64_t kGap = 4;
  const std::int64_t period_ns_;
  std::int64_t last_ns_ = INT64_MIN, next_ns_ = INT64_MIN / 2;
};

}  // namespace fer
