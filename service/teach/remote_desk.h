// The labelling of a service that runs, asked from another process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fer {

/// Asks a slot of `fer run` by its page's addresses. All members throw std::runtime_error that
/// names the address, and what it answered.
class RemoteDesk {
 public:
  struct Question {
    std::uint64_t id = 0;
    std::string camera, guess;  ///< The likeliest class.
    double probability = 0;     ///< Of the guess.
    std::string png;
  };
  struct Questions {
    std::vector<std::string> labels;
    std::string model;  ///< The version that the learner began from.
    std::vector<Question> questions;
  };

  /// `url`: of the page. `token`: empty where it needs none.
  RemoteDesk(const std::string& url, const std::string& slot, const std::string& token);
  ~RemoteDesk();

  Questions questions(int n);
  /// A class, "cannot-tell" or "no-face".
  void answer(std::uint64_t id, const std::string& answer);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
