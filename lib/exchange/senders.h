// Which evidence a service has had already, and which it never had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace fer {

/// Follows the numbers that collectors give their messages: the same message may come twice, and
/// gaps were lost, or went to another service. Bounded: the collector that was silent for longest
/// is forgotten. Not thread-safe.
class Senders {
 public:
  struct Sender {
    std::uint64_t received = 0;    ///< Different messages.
    std::uint64_t duplicates = 0;  ///< That came again.
    std::uint64_t missing = 0;     ///< Numbers between the first and the highest that never came.
  };

  /// False where the message came before.
  bool take(const std::string& collector, const std::string& session, std::uint64_t number);

  /// By collector.
  std::map<std::string, Sender> all() const;
  std::size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    std::string name;
    std::uint64_t first = 0, highest = 0;
    std::set<std::uint64_t> lately;
    Sender before;            ///< Of earlier sessions.
    Sender counts;            ///< Of this one.
    std::uint64_t heard = 0;  ///< In the order of all messages.
  };

  std::map<std::string, Session> sessions_;
  std::uint64_t messages_ = 0;
};

}  // namespace fer
