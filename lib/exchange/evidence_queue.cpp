#include "exchange/evidence_queue.h"

#include <algorithm>
#include <utility>

namespace fer {
namespace {

using Identity = std::pair<std::string, std::int64_t>;

Identity identity_of(const EvidenceMessage& message) {
  return {message.evidence.source, message.evidence.track};
}

/// The key that most of the items have, among those that `counts` takes; the least key of a tie.
template <typename Items, typename KeyOf, typename Counts>
auto commonest(const Items& items, const KeyOf& key_of, const Counts& counts) {
  std::map<decltype(key_of(items.front())), std::size_t> count;
  for (const auto& item : items) {
    if (counts(item)) ++count[key_of(item)];
  }
  return std::max_element(count.begin(), count.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

}  // namespace

EvidenceQueue::EvidenceQueue(std::size_t capacity, std::size_t classes)
    : capacity_(std::max<std::size_t>(1, capacity)), out_(classes), thinned_(classes) {}

void EvidenceQueue::push(EvidenceMessage message) {
  items_.push_back(std::move(message));
  if (items_.size() > capacity_) make_room();
}

void EvidenceQueue::make_room() {
  using Message = EvidenceMessage;
  const auto any = [](const Message&) { return true; };
  const std::string sender = commonest(
      items_, [](const Message& m) { return m.collector; }, any);
  const auto of_sender = [&](const Message& m) { return m.collector == sender; };
  const int label = commonest(
      items_, [](const Message& m) { return m.evidence.label; }, of_sender);
  const auto of_class = [&](const Message& m) { return of_sender(m) && m.evidence.label == label; };
  const Identity who = commonest(items_, identity_of, of_class);
  items_.erase(std::find_if(items_.begin(), items_.end(), [&](const Message& m) {
    return of_class(m) && identity_of(m) == who;
  }));
  ++thinned_.at(static_cast<std::size_t>(label));
}

std::optional<EvidenceMessage> EvidenceQueue::pop() {
  if (items_.empty()) return std::nullopt;
  const auto times_out = [&](const EvidenceMessage& m) {
    return out_.at(static_cast<std::size_t>(m.evidence.label));
  };
  const auto next =
      std::min_element(items_.begin(), items_.end(),
                       [&](const auto& a, const auto& b) { return times_out(a) < times_out(b); });
  EvidenceMessage message = std::move(*next);
  items_.erase(next);
  ++out_.at(static_cast<std::size_t>(message.evidence.label));
  return message;
}

std::uint64_t EvidenceQueue::drop_older(std::int64_t than_s) {
  return std::erase_if(items_, [&](const auto& m) { return m.collected_s < than_s; });
}

}  // namespace fer
