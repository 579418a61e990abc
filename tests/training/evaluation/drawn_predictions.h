// Predictions whose figures can be worked out by hand.
#pragma once

#include <string>
#include <vector>

#include "evaluation/predictions.h"

namespace fer::test {

struct DrawnFace {
  int truth;
  std::vector<float> probabilities;
  std::string person = {};
};

/// Images are called 0.png, 1.png, …
inline Predictions drawn_predictions(std::vector<std::string> classes,
                                     const std::vector<DrawnFace>& faces) {
  Predictions predictions;
  predictions.classes = std::move(classes);
  predictions.prior.assign(predictions.classes.size(),
                           1.f / static_cast<float>(predictions.classes.size()));
  for (const DrawnFace& face : faces) {
    predictions.add(std::to_string(predictions.size()) + ".png", face.truth, face.probabilities,
                    face.person);
  }
  return predictions;
}

}  // namespace fer::test
