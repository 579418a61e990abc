#include "report/matched_score.h"

#include <algorithm>

namespace fer {
namespace {

using json = nlohmann::ordered_json;

constexpr char kValid[] = "valid_accuracy";

const json* curve_of(const json& run) {
  const auto found = run.find("curve");
  return found != run.end() && found->is_array() && !found->empty() ? &*found : nullptr;
}

MatchedScore score_of(const json& entry) {
  return {entry["accuracy"].get<double>(), entry["macro_recall"].get<double>()};
}

double valid_of(const json& entry) {
  return entry[kValid].get<double>();
}

const json& most_accurate(const json& curve) {
  return *std::max_element(curve.begin(), curve.end(),
                           [](const json& a, const json& b) { return valid_of(a) < valid_of(b); });
}

}  // namespace

std::optional<double> common_valid_accuracy(const json& runs) {
  std::optional<double> common;
  for (const json& run : runs) {
    const json* curve = curve_of(run);
    if (!curve) continue;
    const double reached = valid_of(most_accurate(*curve));
    common = common ? std::min(*common, reached) : reached;
  }
  return common;
}

std::optional<MatchedScore> score_at(const json& run, double valid_accuracy) {
  const json* curve = curve_of(run);
  if (!curve) return {};
  for (std::size_t i = 0; i < curve->size(); ++i) {
    const json& above = (*curve)[i];
    if (valid_of(above) < valid_accuracy) continue;
    if (i == 0) return score_of(above);
    const json& below = (*curve)[i - 1];
    const double part = (valid_accuracy - valid_of(below)) / (valid_of(above) - valid_of(below));
    const MatchedScore a = score_of(below), b = score_of(above);
    return MatchedScore{a.accuracy + part * (b.accuracy - a.accuracy),
                        a.macro_recall + part * (b.macro_recall - a.macro_recall)};
  }
  return score_of(most_accurate(*curve));
}

}  // namespace fer
