// Fits the calibration of a model on labelled faces.
#pragma once

#include <cstdint>
#include <vector>

#include "evaluation/predictions.h"
#include "model/calibration.h"

namespace fer {

/// What a model without calibration said about faces, and what it should have said.
struct CalibrationData {
  std::size_t classes = 0;
  std::vector<float> logits;   ///< N x classes.
  std::vector<float> targets;  ///< N x classes; each row sums to 1: votes, or 1 for the label.
  Clusters clusters;           ///< Faces of one cluster are never on both sides of a fold.

  std::size_t size() const { return classes == 0 ? 0 : logits.size() / classes; }
};

/// The calibration that makes the targets likeliest, by L-BFGS on the mean cross entropy. That is
/// convex in 1 / temperature and bias. A bias is held near 0 as by one observation of a standard
/// normal distribution, so that a class without faces keeps a finite one. The temperature is at
/// least 0.05: a model that is right about every face would have it at 0. Throws std::runtime_error
/// where it would be above 20 or negative: the logits do not fit the targets.
Calibration fit_calibration(const CalibrationData& data, bool with_bias);

/// N x classes calibrated logits.
std::vector<float> calibrated(const Calibration& calibration, const std::vector<float>& logits,
                              std::size_t classes);

/// The mean cross entropy of the targets.
double mean_nll(const std::vector<float>& logits, const std::vector<float>& targets,
                std::size_t classes);

/// A calibration, and what cross-validation says about it.
struct CalibrationChoice {
  Calibration calibration;  ///< Fitted on all faces.
  /// N x classes logits, each face calibrated by a fit on the other folds: for honest figures.
  std::vector<float> held_out;
  // Mean cross entropy: without calibration, and of held-out faces by either form.
  double nll_before = 0, nll_temperature = 0, nll_bias = 0;
  /// How much less the held-out cross entropy is with a bias, and this mean's standard error.
  double bias_gain = 0, bias_gain_error = 0;
};

/// Fits a temperature, and a bias per class where that pays: where it lowers the held-out cross
/// entropy by more than one standard error, and is allowed. Clusters are dealt to the folds by the
/// seed. Throws what fit_calibration() throws, and std::runtime_error for fewer clusters than
/// folds.
CalibrationChoice choose_calibration(const CalibrationData& data, int folds, std::uint64_t seed,
                                     bool allow_bias = true);

/// Per class, the least probability at which at least `precision` of the faces that are predicted
/// as this class are of it; infinity where there is none. A share counts by the lower end of its
/// Wilson interval of one standard deviation, so that a few lucky faces prove nothing; 0 where all
/// predictions of the class together are precise enough.
std::vector<float> operating_points(const Predictions& predictions, double precision);

}  // namespace fer
