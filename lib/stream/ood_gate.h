// Whether a source shows what the model knows. Free of LibTorch.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "export.h"

namespace fer {

/// Share of the faces that a model knows of which it is called unsure.
constexpr double kUnsureOfKnown = 0.05;

/// A source that shows many faces of which the model is unsure, where it is unsure of one known
/// face in twenty, shows no faces, or none of the kind: nothing is learnt from it until it does.
///
/// One unsure answer says little: a classifier's largest probability separates what it was trained
/// on from what it was not only on average (Hendrycks and Gimpel 2017). The share of them over a
/// source's last fifty or so says a lot.
class FER_API OodGate {
 public:
  /// `doubt`: in [0, 1]; below it the model is unsure. `max_unsure`: the largest share of unsure
  /// answers of a source that is learnt from, in [0, 1].
  OodGate(float doubt, double max_unsure) : doubt_(doubt), max_unsure_(max_unsure) {}

  /// Takes note of how sure the unadapted model is of one more piece of a source's evidence, and
  /// says whether the source is learnt from.
  bool admits(const std::string& source, float confidence);

  /// Share of a source's evidence, fading, of which the model was unsure.
  double unsure(const std::string& source) const;

  nlohmann::json state() const;
  /// What state() gave. Throws nlohmann::json::exception for what it cannot have given.
  void restore(const nlohmann::json& state);

 private:
  const float doubt_;
  const double max_unsure_;
  std::map<std::string, double> unsure_;
};

}  // namespace fer
