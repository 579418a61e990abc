// The figures of a model on labelled faces, each with its confidence interval, and differences of
// them between two models.
#pragma once

#include <string>
#include <vector>

#include "evaluation/bootstrap.h"
#include "evaluation/predictions.h"

namespace fer {

/// A figure and where it would lie with other faces of the same kind.
struct Measure {
  double value;  ///< NaN: there is none.
  Interval interval;
};

struct Measures {
  std::size_t faces = 0;
  Measure accuracy;      ///< The share of the faces that were predicted rightly.
  Measure macro_recall;  ///< The mean of the recalls of the classes that have faces.
  /// The mean negative logarithm of the true class's probability, which counts as at least 1e-12.
  Measure nll;
  /// The mean over faces of the sum over classes of (probability - (class is true))^2, in [0, 2]
  /// (Brier 1950).
  Measure brier;
  Measure ece_equal_mass, ece_equal_width;  ///< See reliability.h; 15 bins.
  std::vector<Measure> recall;              ///< One per class; NaN for a class without faces.
};

/// All figures. Bins of confidence are those of all faces in every resample. A resample without a
/// face of a class that has faces tells nothing of this class's recall, nor of the macro recall.
Measures measure(const Predictions& predictions, const Clusters& clusters,
                 const BootstrapSettings& settings);

/// Differences of figures; a positive one means that the first is larger.
struct Differences {
  Measure accuracy, macro_recall;
  std::vector<Measure> recall;  ///< One per class.
};

/// `first` minus `second`, resampled together (the paired bootstrap). Both are about the same faces
/// in the same order, with the same classes.
Differences compare(const Predictions& first, const Predictions& second, const Clusters& clusters,
                    const BootstrapSettings& settings);

/// The faces for which `inside` is true minus all others, resampled together. Macro recalls are
/// means over the classes that both sides have. NaN for a class that one side lacks.
Differences compare_to_rest(const Predictions& predictions, const std::vector<bool>& inside,
                            const Clusters& clusters, const BootstrapSettings& settings);

}  // namespace fer
