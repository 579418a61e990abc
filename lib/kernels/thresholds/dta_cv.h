#pragma once

#include "kernels/thresholds/threshold_step.h"

namespace fer::kernels {

/// Thresholds that cannot flatter themselves: dynamic threshold adjustment by cross-validation.
///
/// A teacher that knows its few labels by heart is sure of them, and says nothing of what it does
/// with other faces. So K heads are fitted to the network's features every R steps, each without
/// one of K folds of the labelled rows. What the heads say of the rows that they have not seen
/// gives
///
///   T_c = the least t such that, of the rows predicted as c with confidence >= t, the lower bound
///         of the precision (Wilson 1927, z standard deviations) is at least ρ;
///
/// where no t is, T_c accepts only the share `top` of these rows that is surest. The same heads,
/// averaged, give the pseudo-labels. With `mix` = 1 both are taken under the class mix of the
/// unlabelled rows, which is estimated by EM (Saerens et al. 2002). ρ = 0.7, z = 1, K = 5, R = 40.
///
/// The heads and the thresholds are made on the processor (learn/semi/cross_fit.h) and put here by
/// ThresholdPolicy::set_thresholds(); before that no row is accepted.
struct DtaCv : ThresholdDefaults {
  static constexpr const char* kName = "dta-cv";
  static constexpr bool kKeepsThresholds = true;
  static constexpr bool kCrossFits = true;
  struct Settings {
    double rho = 0.7;
    double z = 1;
    double top = 0.1;
    double folds = 5;
    double refit = 40;  ///< Steps between two fits.
    double l2 = 0.01;   ///< Of the heads' weights, on features of unit variance.
    double mix = 0;     ///< 1: under the unlabelled rows' estimated mix of classes.
  };
  template <class Fields>
  static void settings(Fields&& field, Settings& s) {
    field("rho", s.rho, 0, 1);
    field("z", s.z, 0, 5);
    field("top", s.top, 0, 1);
    field("folds", s.folds, 2, 10);
    field("refit", s.refit, 1, 1e9);
    field("l2", s.l2, 1e-9, 1e3);
    field("mix", s.mix, 0, 1);
  }

  /// Above any confidence.
  static constexpr double kNone = 2;

  FER_HOST_DEVICE static void begin(const Settings&, int classes, State&, float* thresholds) {
    set_all(kNone, classes, thresholds);
  }
};

}  // namespace fer::kernels
