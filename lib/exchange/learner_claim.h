// Which of several services learns for a slot.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace fer {

/// Services of one slot agree by the retained messages of one topic, which a broker gives to all in
/// the same order: whoever claims a free slot first learns, until it releases it; its last will
/// releases it where it dies. The others stand by. Pure: it neither sends nor reads a clock.
class LearnerClaim {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit LearnerClaim(std::string service) : service_(std::move(service)) {}

  /// The messages that claim and release.
  std::string claim_text() const;
  std::string release_text() const;

  /// The broker is there, again: what it keeps comes now, if it keeps anything.
  void connected(Time now);
  void lost() { since_.reset(); }
  /// A message of the topic. Whatever is none is taken for nothing.
  void heard(const std::string& text);

  /// Whether claim_text() is to be published (retained) now.
  bool wants_to_claim(Time now);
  /// Whether this service learns: the broker is there, and the slot is its own.
  bool holds() const { return since_ && owner_ == service_; }
  const std::string& owner() const { return owner_; }

 private:
  const std::string service_;
  std::string owner_;          ///< Empty: nobody, as far as is known.
  std::optional<Time> since_;  ///< Since when the broker is there.
  bool was_owner_ = false;     ///< When the broker was lost.
  bool again_ = false;         ///< Somebody wrote over our claim.
  std::optional<Time> claimed_;
};

}  // namespace fer
