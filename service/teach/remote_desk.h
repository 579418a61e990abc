// The labelling of a service that runs, asked from another process.
#pragma once

#include <cstdint>
#include <filesystem>
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
    std::string camera;
    std::string png;
  };
  struct Questions {
    std::vector<std::string> labels;
    std::string model;                 ///< The version that the learner began from.
    std::vector<std::string> cameras;  ///< Of the slot.
    std::vector<Question> questions;
  };

  /// Where the page is, and how it is asked.
  struct Place {
    std::string url, slot;
    std::string token;            ///< Empty where it needs none.
    std::filesystem::path trust;  ///< A certificate to trust; empty: those that the system trusts.
  };
  explicit RemoteDesk(const Place& place);
  ~RemoteDesk();

  Questions questions(int n);
  /// A class, "cannot-tell" or "no-face". Returns why it was not taken (asked no more, say), as a
  /// sentence; empty where it was.
  std::string answer(std::uint64_t id, const std::string& answer);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
