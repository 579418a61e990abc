// A line on the terminal that says how far a long job is.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

namespace fer {

/// Rewrites one line of stderr where it is a terminal, at most ten times a second; prints a line
/// every half minute where it is not, so that a short job prints none.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();

  /// `done` of `total`; `note` stands behind the bar. The time left is
  /// worked out unless given.
  void update(double done, double total, const std::string& note = "", double seconds_left = -1);
  /// Removes the line, so that something else can be printed.
  void clear();

  /// None shows anything from now on: another process does.
  static void silence() { silent_ = true; }

 private:
  using Clock = std::chrono::steady_clock;
  static inline std::atomic<bool> silent_{false};
  const std::string what_;
  const bool terminal_;
  const Clock::time_point begun_ = Clock::now();
  Clock::time_point shown_ = begun_;
  bool shows_ = false;  ///< Something was printed that clear() has not removed.
};

/// "1 h 02 min", "3 min 20 s", "12 s".
std::string duration_text(double seconds);

}  // namespace fer
