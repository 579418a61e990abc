// What people ask a learner's thread about labels. Free of LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "export.h"
#include "stream/face_sample.h"
#include "stream/label_question.h"

namespace fer {

class OnlineLearner;

/// Labels and questions that wait for the learner's thread. Bounded; what waits is never pushed
/// out. Not thread-safe.
class FER_API LabelRequests {
 public:
  using Questions = std::vector<LabelQuestion>;

  /// `label`: index of a class. `question`: what it answers, which is asked no more from now on.
  /// False where too many wait already.
  bool label(FaceSample face, int label, std::optional<std::uint64_t> question = std::nullopt) {
    if (labels_.size() >= kMaxLabels) return false;
    labels_.push_back({std::move(face), label, question});
    return true;
  }
  void settle(std::uint64_t question, LabelAnswer answer) {
    settlements_.push_back({question, answer});
  }
  /// Questions are picked once all labels that came before are taken.
  std::future<Questions> pick(std::size_t n, std::set<std::string> hidden) {
    picks_.push_back({n, std::move(hidden), {}});
    return picks_.back().answer.get_future();
  }

  bool empty() const { return labels_.empty() && settlements_.empty() && picks_.empty(); }
  /// All that wait, which wait no more.
  LabelRequests take() { return std::exchange(*this, {}); }

  /// Does what was asked; whether there were labels. What goes wrong with a question is told to who
  /// asked it; with a label, it is thrown.
  bool fulfil(OnlineLearner& learner);
  /// Where nothing learns: whoever asked for questions gets none.
  void answer_none();

 private:
  /// People label dozens of faces, not thousands.
  static constexpr std::size_t kMaxLabels = 1024;

  struct Label {
    FaceSample face;
    int label = 0;
    std::optional<std::uint64_t> question;
  };
  struct Settlement {
    std::uint64_t question = 0;
    LabelAnswer answer = LabelAnswer::kCannotTell;
  };
  struct Pick {
    std::size_t n = 0;
    std::set<std::string> hidden;
    std::promise<Questions> answer;
  };
  std::vector<Label> labels_;
  std::vector<Settlement> settlements_;
  std::vector<Pick> picks_;
};

}  // namespace fer
