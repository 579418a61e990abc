#include "stream/label_picker.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <random>
#include <utility>

#include "util/random.h"

namespace fer {
namespace {

using Item = SampleMemory::Item;

constexpr std::uint64_t kPurpose = 0x7069636b;

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

/// From when on it is too old to be shown; 0: never.
std::int64_t end_of(const Item& item, const KnownLabels& known) {
  return known.max_age_s > 0 ? item.added_s + known.max_age_s + 1 : 0;
}

LabelQuestion question_of(const Item& item, const KnownLabels& known, double worth) {
  LabelQuestion question;
  question.id = item.id;
  question.source = item.evidence.source;
  question.track = item.evidence.track;
  question.time_s = item.added_s;
  question.expires_s = end_of(item, known);
  question.crop = item.evidence.crops.front();
  question.probabilities = item.evidence.mean;
  question.worth = worth;
  return question;
}

}  // namespace

std::vector<LabelQuestion> pick_questions(const std::vector<Item>& remembered,
                                          const KnownLabels& known, std::size_t n,
                                          const std::set<std::string>& hidden, const PickBy& by) {
  const bool by_worth = by.picking == Picking::kWorth;
  Random random(by.seed, kPurpose);
  std::vector<Eligible> eligible;
  for (const Item& item : remembered) {
    const Evidence& evidence = item.evidence;
    const std::int64_t end = end_of(item, known);
    if (evidence.crops.empty() || known.settled.contains(item.id) ||
        (end != 0 && end <= known.now_s) || hidden.contains(evidence.source))
      continue;
    Eligible one{&item, by.picking == Picking::kRandom
                            ? std::uniform_real_distribution<double>()(random)
                            : unsureness(evidence.mean)};
    if (by_worth) {
      one.worth *= rareness(evidence.mean, known.per_class);
      for (const std::vector<float>& features : known.features) move_away(one, features);
    }
    eligible.push_back(one);
  }
  std::vector<LabelQuestion> picked;
  while (picked.size() < n && !eligible.empty()) {
    const auto best = std::max_element(eligible.begin(), eligible.end(),
                                       [](const Eligible& a, const Eligible& b) {
                                         return a.worth * a.distance < b.worth * b.distance;
                                       });
    const Item& item = *best->item;
    picked.push_back(question_of(item, known, best->worth * std::max(0.0, best->distance)));
    std::erase_if(eligible, [&](const Eligible& other) {
      const Evidence& evidence = other.item->evidence;
      return other.item == &item || (evidence.track >= 0 && evidence.track == item.evidence.track &&
                                     evidence.source == item.evidence.source);
    });
    if (by_worth)
      for (Eligible& other : eligible) move_away(other, item.evidence.latents.features);
  }
  return picked;
}

}  // namespace fer
