// What a learner tells of itself. Free of LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "export.h"

namespace fer {

/// A snapshot of a learner. Counts start with the learner and survive restarts, except the queue's,
/// which start with the process.
struct LearnerStats {
  /// Of one expression.
  struct PerClass {
    std::string label;           ///< Its name.
    double threshold = 0;        ///< At which a row of this class is accepted now.
    double accept_rate = 0;      ///< Of the rows of this class, over about the last 100 steps.
    std::uint64_t accepted = 0;  ///< Rows taken as this class so far.
    int remembered = 0;          ///< Tracklets in the memory under this label.
  };
  std::vector<PerClass> classes;  ///< In the model's order.

  std::uint64_t offered = 0;  ///< Faces that came to the queue …
  std::uint64_t dropped = 0;  ///< … and were pushed out of it by newer ones, or came while paused.
  std::size_t queued = 0;     ///< Faces that wait now.
  std::map<std::string, std::uint64_t> refused;  ///< Gate → faces or tracklets that it refused.
  std::uint64_t faces = 0;                       ///< Faces that passed the gates.
  std::uint64_t tracklets = 0;                   ///< Pieces of evidence that came of them.
  int memory = 0;                                ///< Tracklets remembered …
  int memory_capacity = 0;                       ///< … of so many at most.
  int min_memory = 0;        ///< Tracklets that must be remembered before the first step.
  std::uint64_t labels = 0;  ///< Labelled faces of the stream.
  std::uint64_t steps = 0;   ///< Gradient steps so far.
  double loss = 0;           ///< Of the last step: the weighted sum of the next three.
  double loss_x = 0;         ///< Of labelled rows.
  double loss_u = 0;         ///< Of pseudo-labels.
  double loss_n = 0;         ///< Of negative labels.

  double learning_rate = 0;  ///< Step size now: halved at each rollback, regained later.

  std::string source_version;     ///< Of the model that learning began from,
  std::string serving_version;    ///< that serves now,
  std::string candidate_version;  ///< and that was last compared on the canary.
  double source_score = 0;        ///< Macro recall on the canary, of the source,
  double serving_score = 0;       ///< of the serving model,
  double candidate_score = 0;     ///< and of the last candidate.
  /// The same of accuracy, were the canary's classes as common as in the source's prior.
  double source_accuracy = 0;
  double serving_accuracy = 0;    ///< As source_accuracy, of the serving model.
  double candidate_accuracy = 0;  ///< As source_accuracy, of the last candidate.
  std::uint64_t promotions = 0;   ///< Candidates that came to serve.
  std::uint64_t rollbacks = 0;    ///< Times that what was learnt was thrown away.
  std::uint64_t kept = 0;         ///< Candidates that did not come to serve.
  std::string decision;  ///< The last: "promoted", "kept", "rolled back", "reset"; empty: none.
  std::string reason;    ///< Why, as a sentence.

  bool paused = false;         ///< As Learner::pause() left it.
  double cpu_share = 0;        ///< Of one core that the learner's thread took, since it began.
  std::string last_warning;    ///< Empty where there was none.
  std::uint64_t warnings = 0;  ///< So far.
};

FER_API void to_json(nlohmann::json& json, const LearnerStats& stats);

}  // namespace fer
