#include "stream/label_picker.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

namespace fer {
namespace {

using Item = SampleMemory::Item;

double unsureness(const std::vector<float>& probabilities) {
  float first = 0, second = 0;
  for (const float one : probabilities) {
    if (one > first) {
      second = std::exchange(first, one);
    } else {
      second = std::max(second, one);
    }
  }
  return std::clamp(1.0 - (static_cast<double>(first) - static_cast<double>(second)), 0.0, 1.0);
}

double rareness(const std::vector<float>& probabilities, const std::vector<int>& per_class) {
  double mean = 0;
  for (std::size_t k = 0; k < probabilities.size(); ++k) {
    const int labels = k < per_class.size() ? per_class[k] : 0;
    mean += static_cast<double>(probabilities[k]) / std::sqrt(1.0 + labels);
  }
  return mean;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    dot += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    aa += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    bb += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return aa > 0 && bb > 0 ? dot / std::sqrt(aa * bb) : 0;
}

/// A face that may be asked about.
struct Eligible {
  const Item* item = nullptr;
  double worth = 0;     ///< Without the distance.
  double distance = 1;  ///< From the nearest of those that are known or picked.
};

void move_away(Eligible& one, const std::vector<float>& features) {
  const std::vector<float>& own = one.item->evidence.latents.features;
  if (own.empty() || features.empty()) return;  // nothing is known of it: as good as far
  one.distance = std::min(one.distance, 1 - cosine(own, features));
}

LabelQuestion question_of(const Item& item, double worth) {
  const Evidence& evidence = item.evidence;
  return {item.id,      evidence.source,        evidence.track,
          item.added_s, evidence.crops.front(), evidence.mean,
          worth};
}

}  // namespace

std::vector<LabelQuestion> pick_questions(const std::vector<Item>& remembered,
                                          const KnownLabels& known, std::size_t n,
                                          const std::set<std::string>& hidden) {
  std::vector<Eligible> eligible;
  for (const Item& item : remembered) {
    const Evidence& evidence = item.evidence;
    if (evidence.crops.empty() || known.settled.contains(item.id) || item.added_s < known.since_s ||
        hidden.contains(evidence.source))
      continue;
    Eligible one{&item, unsureness(evidence.mean) * rareness(evidence.mean, known.per_class), 1};
    for (const std::vector<float>& features : known.features) move_away(one, features);
    eligible.push_back(one);
  }
  std::vector<LabelQuestion> picked;
  while (picked.size() < n && !eligible.empty()) {
    const auto best = std::max_element(eligible.begin(), eligible.end(),
                                       [](const Eligible& a, const Eligible& b) {
                                         return a.worth * a.distance < b.worth * b.distance;
                                       });
    const Item& item = *best->item;
    picked.push_back(question_of(item, best->worth * std::max(0.0, best->distance)));
    std::erase_if(eligible, [&](const Eligible& other) {
      const Evidence& evidence = other.item->evidence;
      return other.item == &item || (evidence.track >= 0 && evidence.track == item.evidence.track &&
                                     evidence.source == item.evidence.source);
    });
    for (Eligible& other : eligible) move_away(other, item.evidence.latents.features);
  }
  return picked;
}

}  // namespace fer
