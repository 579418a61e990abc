// Whether a model is as often right as it says: confidence against accuracy, bin by bin.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "evaluation/predictions.h"

namespace fer {

/// How confidences are put into bins.
enum class Binning {
  kEqualMass,   ///< The same number of faces in each bin (Nguyen and O'Connor 2015).
  kEqualWidth,  ///< Equal parts of the range from 0 to 1 (Guo et al. 2017).
};

/// As many bins as Guo et al. 2017 have, and most since.
inline constexpr int kReliabilityBins = 15;

/// The probability of the predicted class, one per face.
std::vector<float> confidences_of(const Predictions& predictions);

/// The bin of each confidence, in [0, bins). Equal widths: bin b holds the confidences above
/// b / bins up to (b + 1) / bins. Equal masses: by rank; of equal confidences, the earlier face
/// ranks lower.
std::vector<int> bins_of(std::span<const float> confidences, Binning binning,
                         int bins = kReliabilityBins);

struct ReliabilityBin {
  std::size_t faces = 0;
  double min_confidence = 0, max_confidence = 0;  ///< Of the faces in it.
  double confidence = 0;                          ///< Their mean.
  double accuracy = 0;                            ///< The share that was predicted rightly.
};

/// The bins that hold faces, by rising confidence.
std::vector<ReliabilityBin> reliability(const Predictions& predictions, Binning binning,
                                        int bins = kReliabilityBins);

/// ECE: the mean over faces of the gap between confidence and accuracy in their bin.
double expected_calibration_error(std::span<const ReliabilityBin> bins);

}  // namespace fer
