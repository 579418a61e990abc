#include "stream/sample_memory.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>

namespace fer {
namespace {

/// By which sums of shares may fall short of all draws.
constexpr double kRounding = 1e-9;

using Identity = std::pair<std::string, std::int64_t>;

Identity identity_of(const Evidence& evidence) {
  return {evidence.source, evidence.track};
}

}  // namespace

SampleMemory::SampleMemory(const MemoryConfig& config, int classes, bool capped)
    : config_(config), classes_(classes), capped_(capped) {}

void SampleMemory::add(Evidence evidence, std::int64_t now_s) {
  make_room(evidence);
  items_.push_back({next_id_++, std::move(evidence), now_s});
}

void SampleMemory::drop(std::uint64_t id) {
  std::erase_if(items_, [&](const Item& item) { return item.id == id; });
}

bool SampleMemory::drop_older(std::int64_t than_s) {
  return std::erase_if(items_, [&](const Item& item) { return item.added_s < than_s; }) > 0;
}

void SampleMemory::make_room(const Evidence& next) {
  if (!capped_) {
    if (size() >= capacity()) items_.erase(items_.begin());
    return;
  }
  const auto drop_oldest_of = [&](const auto& belongs) {
    const auto oldest = std::find_if(items_.begin(), items_.end(), belongs);
    if (oldest != items_.end()) items_.erase(oldest);
  };
  // Faces that nobody followed are not known to be the same person's.
  const auto same_identity = [&](const Item& item) {
    return next.track >= 0 && identity_of(item.evidence) == identity_of(next);
  };
  if (std::count_if(items_.begin(), items_.end(), same_identity) >= config_.per_identity)
    drop_oldest_of(same_identity);

  // Labels move as the teacher learns, so that a class may have outgrown its share since.
  int crowded = next.label;
  if (count(crowded) < config_.per_class) {
    if (size() < capacity()) return;
    for (int k = 0; k < classes_; ++k)
      if (count(k) > count(crowded)) crowded = k;
  }
  std::map<Identity, int> crowd;
  for (const Item& item : items_)
    if (item.evidence.label == crowded) ++crowd[identity_of(item.evidence)];
  const auto most = std::max_element(
      crowd.begin(), crowd.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  // Where no identity stands out, simply the oldest of the class.
  drop_oldest_of([&](const Item& item) {
    return item.evidence.label == crowded &&
           (most->second == 1 || identity_of(item.evidence) == most->first);
  });
}

std::vector<std::size_t> SampleMemory::draw(int n, Random random) const {
  std::vector<std::size_t> drawn;
  if (items_.empty()) return drawn;
  if (!capped_) {
    for (int i = 0; i < n; ++i)
      drawn.push_back(items_.size() - 1 - static_cast<std::size_t>(i) % items_.size());
    return drawn;
  }
  std::vector<std::vector<std::size_t>> by_class(static_cast<std::size_t>(classes_));
  for (std::size_t i = 0; i < items_.size(); ++i)
    by_class[static_cast<std::size_t>(items_[i].evidence.label)].push_back(i);
  // One random number for all n: each class has its share of them to within one.
  const double first = random.uniform();
  const std::vector<double> share = shares();
  double until = 0;
  int next = 0;
  for (std::size_t k = 0; k < by_class.size(); ++k) {
    const auto& members = by_class[k];
    if (members.empty()) continue;
    until += share[k] * n;
    for (; next < n && next + first < until + kRounding; ++next)
      drawn.push_back(members[random.below(members.size())]);
  }
  return drawn;
}

std::vector<double> SampleMemory::shares() const {
  std::vector<double> share(static_cast<std::size_t>(classes_));
  for (const Item& item : items_) ++share[static_cast<std::size_t>(item.evidence.label)];
  double all = 0;
  for (double& one : share) all += one = std::sqrt(one);
  if (all > 0)
    for (double& one : share) one /= all;
  return share;
}

int SampleMemory::count(int label) const {
  return static_cast<int>(std::count_if(items_.begin(), items_.end(), [&](const Item& item) {
    return item.evidence.label == label;
  }));
}

void SampleMemory::restore(std::vector<Item> items, std::uint64_t added) {
  bool fits = static_cast<int>(items.size()) <= capacity();
  std::uint64_t least = 0;
  for (const Item& item : items) {
    fits = fits && item.id >= least && item.id < added && item.evidence.label >= 0 &&
           item.evidence.label < classes_ &&
           !(item.evidence.crops.empty() && item.evidence.latents.bytes.empty()) &&
           item.evidence.mean.size() == static_cast<std::size_t>(classes_);
    least = item.id + 1;
  }
  if (!fits) throw std::runtime_error("what was remembered does not fit the memory's settings");
  items_ = std::move(items);
  next_id_ = added;
}

}  // namespace fer
