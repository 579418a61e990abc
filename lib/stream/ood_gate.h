// Sources whose faces are out of the model's distribution. Free of LibTorch.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "export.h"

namespace fer {

/// Share of the faces that a model knows of which it is called unsure.
constexpr double kUnsureOfKnown = 0.05;

/// Detects sources out of distribution. The model is unsure of one known face in twenty. Where it
/// is unsure of many more, the source shows no faces, or faces of another kind, and nothing is
/// learnt from it until that changes.
///
/// One unsure answer says little: the largest probability of a classifier tells known from unknown
/// inputs only on average (Hendrycks and Gimpel 2017). The share of unsure answers over a source's
/// last fifty or so says a lot.
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
