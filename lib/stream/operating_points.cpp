#include "stream/operating_points.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "util/wilson_lower_bound.h"

namespace fer {
namespace {

constexpr std::size_t kFewest = 10;

/// How sure, and whether right: the surest first.
using Answers = std::vector<std::pair<float, bool>>;

Answers of_class(const std::vector<LabelledAnswer>& answers, std::size_t k) {
  Answers own;
  for (const LabelledAnswer& answer : answers)
    if (answer.predicted == static_cast<int>(k)) own.emplace_back(answer.probability, answer.right);
  std::sort(own.begin(), own.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  return own;
}

/// The least probability of at least `point` from which the share of right answers is at least
/// `precision`: the point itself, if it is.
float risen(float point, const Answers& answers, double precision) {
  float least = std::numeric_limits<float>::infinity();
  double right = 0, all = 0;
  for (std::size_t i = 0; i < answers.size() && answers[i].first >= point; ++i) {
    right += answers[i].second;
    ++all;
    // Between equal probabilities there is no threshold.
    if (i + 1 < answers.size() && answers[i + 1].first == answers[i].first) continue;
    if (right >= precision * all) least = answers[i].first;
  }
  return right >= precision * all ? point : least;
}

}  // namespace

std::vector<float> adapted_operating_points(const std::vector<float>& points,
                                            const std::vector<LabelledAnswer>& source,
                                            const std::vector<LabelledAnswer>& adapted) {
  std::vector<float> made = points;
  for (std::size_t k = 0; k < made.size(); ++k) {
    if (!std::isfinite(made[k])) continue;
    const Answers before = of_class(source, k), after = of_class(adapted, k);
    double right = 0, all = 0;
    for (const auto& [probability, is_right] : before) {
      if (probability < made[k]) break;
      right += is_right;
      ++all;
    }
    if (all < static_cast<double>(kFewest) || after.size() < kFewest) continue;
    made[k] = risen(made[k], after, wilson_lower_bound(right, all, 1));
  }
  return made;
}

}  // namespace fer
