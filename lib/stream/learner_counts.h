// What an online learner counts, in one piece for saving.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "stream/model_selector.h"

namespace fer {

struct LearnerCounts {
  std::uint64_t steps = 0, drawn = 0, faces = 0, tracklets = 0;
  std::uint64_t accepted_since_promotion = 0, promotions = 0, rollbacks = 0, kept = 0;
  int since_judged = 0, rollbacks_in_a_row = 0;
  double rate = 1;  ///< Of the step size that was asked for.
  std::string candidate_version;
  double candidate_score = 0, candidate_accuracy = 0;  ///< On the canary.
  std::string decision, reason;
  std::vector<std::uint64_t> accepted;                   ///< Rows, a class.
  std::vector<double> proposed_lately, accepted_lately;  ///< The same, fading.
  std::map<std::string, std::uint64_t> refused;

  /// Rows of one step, a class.
  void add(const std::vector<int>& proposed, const std::vector<int>& accepted_now) {
    constexpr double kFade = 0.99;
    for (std::size_t k = 0; k < accepted.size(); ++k) {
      proposed_lately[k] = proposed_lately[k] * kFade + proposed[k];
      accepted_lately[k] = accepted_lately[k] * kFade + accepted_now[k];
      accepted[k] += static_cast<std::uint64_t>(accepted_now[k]);
      accepted_since_promotion += static_cast<std::uint64_t>(accepted_now[k]);
    }
  }
  /// Share of the rows proposed lately that were accepted.
  double accept_rate(std::size_t label) const {
    return proposed_lately[label] > 0 ? accepted_lately[label] / proposed_lately[label] : 0;
  }
  /// Which candidate was looked at last.
  void note(const Candidate& candidate) {
    candidate_version = candidate.version;
    candidate_score = candidate.score.macro_recall;
    candidate_accuracy = candidate.score.accuracy;
  }
  /// What was decided, counted by one of promotions, rollbacks and kept.
  void decide(std::uint64_t LearnerCounts::*count, std::string what, std::string why) {
    ++(this->*count);
    decision = std::move(what);
    reason = std::move(why);
  }
  /// As at the beginning, but for what people want to know of the past.
  void forget(std::size_t classes) {
    accepted.assign(classes, 0);
    proposed_lately.assign(classes, 0);
    accepted_lately.assign(classes, 0);
    drawn = 0;
    rate = 1;
    rollbacks_in_a_row = since_judged = 0;
  }
  bool fit(std::size_t classes) const {
    return accepted.size() == classes && proposed_lately.size() == classes &&
           accepted_lately.size() == classes;
  }

  NLOHMANN_DEFINE_TYPE_INTRUSIVE(LearnerCounts, steps, drawn, faces, tracklets,
                                 accepted_since_promotion, promotions, rollbacks, kept,
                                 since_judged, rollbacks_in_a_row, rate, candidate_version,
                                 candidate_score, candidate_accuracy, decision, reason, accepted,
                                 proposed_lately, accepted_lately, refused)
};

}  // namespace fer
