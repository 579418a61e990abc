// What a model said about labelled faces, face by face: the raw material of every figure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "learn/evaluation/metrics.h"

namespace fer {

/// One entry per face in each list; `probabilities` has one row per face.
struct Predictions {
  std::vector<std::string> classes;  ///< The classes that predictions are taken among.
  std::vector<float> prior;          ///< The share of each class that the probabilities assume.
  std::vector<std::string> images;   ///< Names by which faces are matched; empty: not known.
  std::vector<int> truth;            ///< Index into `classes`.
  std::vector<float> probabilities;  ///< N x classes; each row sums to 1.
  std::vector<std::string> persons;  ///< Who the face shows; an empty text: not known.

  std::size_t size() const { return truth.size(); }
  std::span<const float> row(std::size_t face) const {
    return std::span(probabilities).subspan(face * classes.size(), classes.size());
  }
  /// The likeliest class of a face; the first one of several that are equally likely.
  int predicted(std::size_t face) const;
  /// Adds a face. `raw` has one entry per class; it is divided by its sum.
  void add(std::string image, int label, std::span<const float> raw, std::string person);
};

/// Counts of (truth, predicted) pairs.
Confusion confusion_of(const Predictions& predictions);

/// The same faces under another prior correction: each probability is divided by the class's prior
/// to the power of `more`, and each row by its new sum. A model that was asked with a correction of
/// p answers like one that was asked with p + `more`.
Predictions with_prior_correction(const Predictions& predictions, double more);

/// The faces that are drawn together when figures are resampled: faces of one person are not
/// independent of each other.
struct Clusters {
  std::vector<std::uint32_t> of_face;  ///< The cluster of each face, in [0, count).
  std::size_t count = 0;
};

/// One cluster per face.
Clusters clusters_by_image(const Predictions& predictions);
/// One cluster per person; a face of an unknown person is a cluster of its own.
Clusters clusters_by_person(const Predictions& predictions);
/// True where some face has a person.
bool knows_persons(const Predictions& predictions);

}  // namespace fer
