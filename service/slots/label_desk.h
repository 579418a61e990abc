// Where people label faces that a learner asks about.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "stream/label_question.h"
#include "stream/slot_learner.h"

namespace fer {

/// Keeps the questions that were shown, until they are answered or too old. Their pictures lie in
/// memory alone, a bounded number of them. Thread-safe.
class LabelDesk {
 public:
  /// A question under a number of the desk's own. Numbers begin anywhere, so that answers to those
  /// of an earlier run, or from before a reset, are not taken for answers to others.
  struct Shown {
    std::uint64_t number = 0;  ///< Below 2^53, which JavaScript counts to.
    LabelQuestion question;
  };

  LabelDesk();

  static constexpr std::size_t kShown = 256;
  static constexpr char kCannotTell[] = "cannot-tell", kNoFace[] = "no-face";

  /// The `n` most instructive questions now; nullopt where the learner has no time for it until
  /// `patience` is over. `hidden`: sources whose faces nobody is to see.
  std::optional<std::vector<Shown>> questions(SlotLearner& learner, std::size_t n,
                                              const std::set<std::string>& hidden,
                                              std::chrono::milliseconds patience);

  /// Answers by a label of the model, kCannotTell or kNoFace. Returns why not, as a sentence; empty
  /// where it was taken.
  std::string answer(SlotLearner& learner, std::uint64_t number, const std::string& answer);

  /// Forgets what may not be kept any longer; `now_s`: seconds since 1970, UTC.
  void forget_expired(std::int64_t now_s);
  /// Forgets all questions.
  void clear();

 private:
  std::mutex mutex_;
  std::deque<Shown> shown_;  ///< Oldest first.
  std::uint64_t next_;
};

/// A crop as PNG: `bytes` are planar, of `channels` 1 or 3 (RGB), `side` pixels high and wide.
/// Enlarged by whole numbers to about `about` pixels.
std::string crop_png(const std::vector<std::uint8_t>& bytes, int channels, int side, int about);

}  // namespace fer
