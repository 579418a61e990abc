// Evidence that waits, and what goes where there is too much of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exchange/evidence_message.h"

namespace fer {

/// A bounded set of evidence. Where it is full, the choice is not left to luck: of the collector
/// with most in it, its commonest class, and of that the identity (one track of one source) with
/// most, the oldest goes. What comes out is of the class that came out least so far. Not
/// thread-safe.
class EvidenceQueue {
 public:
  EvidenceQueue(std::size_t capacity, std::size_t classes);

  void push(EvidenceMessage message);
  /// nullopt where it is empty.
  std::optional<EvidenceMessage> pop();
  /// Drops what was collected before; how many.
  std::uint64_t drop_older(std::int64_t than_s);

  std::size_t size() const { return items_.size(); }
  std::size_t capacity() const { return capacity_; }
  /// How many of each class went for want of room.
  const std::vector<std::uint64_t>& thinned() const { return thinned_; }

 private:
  void make_room();

  const std::size_t capacity_;
  std::deque<EvidenceMessage> items_;  ///< Oldest first.
  std::vector<std::uint64_t> out_, thinned_;
};

}  // namespace fer
