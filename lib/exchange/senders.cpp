#include "exchange/senders.h"

#include <algorithm>

namespace fer {
namespace {

constexpr std::size_t kMaxSenders = 10000;
/// Numbers of a sender that are kept in mind: more than can be on the way to a broker.
constexpr std::size_t kLately = 4096;

Senders::Sender sum(const Senders::Sender& a, const Senders::Sender& b) {
  return {a.received + b.received, a.duplicates + b.duplicates, a.missing + b.missing};
}

}  // namespace

bool Senders::take(const std::string& collector, const std::string& session, std::uint64_t number) {
  if (sessions_.size() >= kMaxSenders && !sessions_.contains(collector)) {
    sessions_.erase(std::min_element(
        sessions_.begin(), sessions_.end(),
        [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; }));
  }
  Session& one = sessions_[collector];
  one.heard = ++messages_;
  if (one.name != session) {
    // What waited on disk since an earlier process still bears that one's name.
    Session fresh;
    fresh.name = session;
    fresh.first = fresh.highest = number;
    fresh.heard = one.heard;
    fresh.before = sum(one.before, one.counts);
    one = fresh;
  }
  const bool known =
      one.lately.contains(number) || (one.lately.size() >= kLately && number < *one.lately.begin());
  if (known) {
    ++one.counts.duplicates;
    return false;
  }
  one.first = std::min(one.first, number);
  one.highest = std::max(one.highest, number);
  one.lately.insert(number);
  if (one.lately.size() > kLately) one.lately.erase(one.lately.begin());
  ++one.counts.received;
  one.counts.missing = one.highest - one.first + 1 - one.counts.received;
  return true;
}

std::map<std::string, Senders::Sender> Senders::all() const {
  std::map<std::string, Sender> found;
  for (const auto& [name, session] : sessions_) found[name] = sum(session.before, session.counts);
  return found;
}

}  // namespace fer
