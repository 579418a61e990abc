// The serving weights, their predecessors, and the verdict on a successor.
#pragma once

#include <torch/types.h>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "stream/canary.h"

namespace fer {

/// The half of a network that adapts, as it was at some moment.
struct Candidate {
  std::map<std::string, torch::Tensor> weights;
  std::string version;  ///< Of the whole model with these weights.
  CanaryScore score;
};

class ModelSelector {
 public:
  /// The source serves. The margins are those of judge().
  ModelSelector(Candidate source, double margin, double rollback_margin)
      : source_(std::move(source)),
        serving_(source_),
        margin_(margin),
        rollback_margin_(rollback_margin) {}

  const Candidate& source() const { return source_; }
  const Candidate& serving() const { return serving_; }
  bool source_serves() const { return serving_.version == source_.version; }

  Verdict verdict_on(const CanaryScore& score) const {
    return judge(score, serving_.score, source_.score, margin_, rollback_margin_);
  }
  /// How a score compares, for people.
  std::string compared(const CanaryScore& score) const;

  /// A point between the serving weights and a candidate's.
  struct Part {
    Candidate candidate;  ///< Without version.
    const char* share;    ///< "half", for people.
  };
  /// The furthest such point that may serve; nullopt where none may. Interpolated networks of one
  /// origin lose less than they gain (Wortsman et al. 2022).
  std::optional<Part> part_of_the_way(
      const Candidate& candidate,
      const std::function<CanaryScore(const std::map<std::string, torch::Tensor>&)>& score) const;

  void promote(Candidate candidate);
  /// Goes back to the previous model, at last to the source. False where the source serves already.
  bool roll_back();
  /// The source serves, and nothing served before.
  void reset();

  /// Goes on from what a checkpoint kept: what serves, without what served before …
  void restore(Candidate serving);
  /// … which comes oldest first.
  void restore_earlier(Candidate earlier);

 private:
  const Candidate source_;
  Candidate serving_;
  std::deque<Candidate> earlier_;  ///< Oldest first; without the source.
  const double margin_, rollback_margin_;
};

}  // namespace fer
