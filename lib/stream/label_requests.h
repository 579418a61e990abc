// What people ask a learner's thread about labels. Free of LibTorch.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "stream/label_question.h"

namespace fer {

/// Requests that wait for the learner's thread, in the order in which they came. Not thread-safe.
class LabelRequests {
 public:
  using Questions = std::vector<LabelQuestion>;
  struct Pick {
    std::size_t n = 0;
    std::set<std::string> hidden;
    std::promise<Questions> answer;
  };
  struct Settlement {
    std::uint64_t id = 0;
    LabelAnswer answer = LabelAnswer::kCannotTell;
  };

  std::future<Questions> pick(std::size_t n, std::set<std::string> hidden) {
    picks_.push_back({n, std::move(hidden), {}});
    return picks_.back().answer.get_future();
  }
  void settle(std::uint64_t id, LabelAnswer answer) { settled_.push_back({id, answer}); }

  bool empty() const { return picks_.empty() && settled_.empty(); }
  std::vector<Pick> take_picks() { return std::exchange(picks_, {}); }
  std::vector<Settlement> take_settlements() { return std::exchange(settled_, {}); }

 private:
  std::vector<Pick> picks_;
  std::vector<Settlement> settled_;
};

}  // namespace fer
