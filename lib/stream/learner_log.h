// The log of a learner: a file of JSON lines in its folder. Free of LibTorch.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "export.h"
#include "stream/learner_stats.h"

namespace fer {

/// Adds to `log.jsonl` in a folder: one JSON object a line, LearnerStats and, under "time", when
/// that was (UTC, ISO 8601). A log that is full becomes `log.1.jsonl`, in place of the one before,
/// so that both together never hold more than twice `max_bytes`. Not thread-safe.
class FER_API LearnerLog {
 public:
  /// Of one file; with eight classes, a few thousand lines.
  static constexpr std::uintmax_t kMaxBytes = 16 << 20;

  /// Touches no disk yet.
  explicit LearnerLog(std::filesystem::path folder, std::uintmax_t max_bytes = kMaxBytes);

  /// Whether these are worth a line: a decision fell since the last one, ten steps were made (at
  /// most one line in five seconds for those), or a minute went by with faces. The first always is.
  bool is_due(const LearnerStats& stats, std::chrono::steady_clock::time_point now) const;

  /// Adds a line, making the folder where there is none. One that an earlier process did not finish
  /// stays alone on its line. Throws std::runtime_error with the file and the system's reason (disk
  /// full, folder read-only); the next call tries anew.
  void append(const LearnerStats& stats, std::chrono::steady_clock::time_point now);

  /// Adds a line where one is due, or `always`. What append() threw, once until it works again.
  std::optional<std::string> append_if_due(const LearnerStats& stats,
                                           std::chrono::steady_clock::time_point now, bool always);

 private:
  void rotate(std::uintmax_t more) const;

  const std::filesystem::path path_, older_;
  const std::uintmax_t max_bytes_;
  bool any_ = false;  ///< Whether the three below are of a line that was tried.
  std::chrono::steady_clock::time_point at_{};
  std::uint64_t steps_ = 0, faces_ = 0;
  std::string decided_;
  bool failed_ = false;  ///< The last line that append_if_due() tried.
};

/// The objects of a folder's log, oldest first; what a crash or a full disk tore is left out. Empty
/// where there is no log, or one of something else.
FER_API std::vector<nlohmann::json> read_learner_log(const std::filesystem::path& folder);

}  // namespace fer
