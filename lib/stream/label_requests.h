// What people ask a learner's thread about labels. Free of LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <future>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "stream/label_question.h"

namespace fer {

class OnlineLearner;

/// Requests that wait for the learner's thread, in the order in which they came. Not thread-safe.
class LabelRequests {
 public:
  using Questions = std::vector<LabelQuestion>;

  std::future<Questions> pick(std::size_t n, std::set<std::string> hidden) {
    picks_.push_back({n, std::move(hidden), {}});
    return picks_.back().answer.get_future();
  }
  void settle(std::uint64_t id, LabelAnswer answer) { settlements_.push_back({id, answer}); }

  bool empty() const { return picks_.empty() && settlements_.empty(); }
  /// All that wait, which wait no more.
  LabelRequests take() { return std::exchange(*this, {}); }

  /// Does what was asked. `learner`: null where nothing learns. Errors go to those who asked.
  void fulfil(OnlineLearner* learner);

 private:
  struct Pick {
    std::size_t n = 0;
    std::set<std::string> hidden;
    std::promise<Questions> answer;
  };
  struct Settlement {
    std::uint64_t id = 0;
    LabelAnswer answer = LabelAnswer::kCannotTell;
  };
  std::vector<Pick> picks_;
  std::vector<Settlement> settlements_;
};

}  // namespace fer
