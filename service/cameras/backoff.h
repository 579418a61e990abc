// Pauses between tries of what failed.
#pragma once

#include <algorithm>

namespace fer {

/// Doubles from the first pause to the last, and begins anew after a try that held for long.
class Backoff {
 public:
  /// Seconds.
  Backoff(double first, double last) : first_(first), last_(last), next_(first) {}

  /// The pause after a try that held for `held` seconds.
  double after(double held) {
    if (held >= std::max(kHeld, last_)) next_ = first_;
    const double pause = next_;
    next_ = std::min(last_, next_ * 2);
    return pause;
  }

 private:
  /// A camera that goes every half minute is not well.
  static constexpr double kHeld = 60;
  double first_, last_, next_;
};

}  // namespace fer
