// What a camera's faces showed, second by second.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace fer {

/// One face of one frame, as a timeline wants it.
struct SeenExpression {
  std::uint64_t person = 0;          ///< The number of its track; 0: not followed.
  std::vector<float> probabilities;  ///< In the order of the labels; empty: not inferred yet.
  bool unsure = false;
};

/// Joins expressions to seconds, by person. Holds a bounded number of seconds, and of persons in
/// each. Thread-safe; a lock is held for sums alone, so that a streaming thread may add.
class ExpressionTimeline {
 public:
  static constexpr std::size_t kSeconds = 300;
  static constexpr std::size_t kPersons = 16;

  /// A person's mean over a second.
  struct Person {
    std::uint64_t id = 0;
    std::vector<float> mean;
    bool unsure = false;  ///< In most of its frames.
  };
  struct Second {
    std::int64_t time_s = 0;  ///< Since 1970, UTC.
    std::vector<Person> persons;
  };
  struct Counts {
    std::vector<double> seconds;  ///< By class: seconds in which a person showed it most.
    std::uint64_t persons = 0;    ///< Tracks seen so far.
  };

  /// The faces of one frame at `time_s`. `labels`: names of the classes; others than before empty
  /// the timeline.
  void add(std::int64_t time_s, const std::vector<std::string>& labels,
           const std::vector<SeenExpression>& faces);

  /// Seconds that are over, after `after_s`, oldest first. `now_s` closes those before it.
  std::vector<Second> seconds(std::int64_t after_s, std::int64_t now_s);
  std::vector<std::string> labels() const;
  Counts counts() const;

  /// The camera begins anew: track numbers start again.
  void restart();

 private:
  struct Sum {
    std::vector<double> sums;
    int frames = 0, unsure = 0;
  };
  void close_before(std::int64_t time_s);  ///< With mutex_ held.

  mutable std::mutex mutex_;
  std::vector<std::string> labels_;
  std::int64_t open_s_ = 0;
  std::map<std::uint64_t, Sum> open_;
  std::deque<Second> closed_;
  Counts counts_;
  std::uint64_t highest_ = 0;  ///< Track number since restart(); they only grow.
};

}  // namespace fer
