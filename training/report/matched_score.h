// Scores of runs at the same accuracy, so that macro recall can be compared.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

namespace fer {

/// A run's scores on test, as shares.
struct MatchedScore {
  double accuracy = 0, macro_recall = 0;
};

/// The largest accuracy on valid that every run with a "curve" reaches with one of its constant
/// prior corrections. Empty where no run has a curve. A curve is a list of {"correction",
/// "valid_accuracy", "accuracy", "macro_recall"}, in the order of the corrections.
std::optional<double> common_valid_accuracy(const nlohmann::ordered_json& runs);

/// The run's scores on test at the least prior correction with which it reaches `valid_accuracy` on
/// valid, interpolated between the two entries around it. Its first entry where that is better
/// already, its most accurate one where it is never reached; empty without a curve.
std::optional<MatchedScore> score_at(const nlohmann::ordered_json& run, double valid_accuracy);

}  // namespace fer
