// How long a thread rests so that it takes its share of a core. Free of LibTorch.
#pragma once

#include <algorithm>

namespace fer {

/// Work of c seconds of the processor's time is paid for by c / share seconds of the clock, those
/// that it took itself and a rest. Rest beyond that is saved up, but not for a burst.
class CpuBudget {
 public:
  /// Seconds to rest before more work.
  double owed() const { return std::max(0.0, owed_); }

  /// After work that took `cpu` seconds of the processor's time and `wall` of the clock's. `share`
  /// of one core, above 0.
  void worked(double cpu, double wall, double share) { pass(wall - cpu / share); }
  /// After a rest, however long.
  void rested(double wall) { pass(wall); }

 private:
  static constexpr double kMaxSavedUp = 0.1;

  void pass(double seconds) { owed_ = std::max(owed_ - seconds, -kMaxSavedUp); }

  double owed_ = 0;
};

}  // namespace fer
