#pragma once

#include <cmath>

#include "kernels/fast_exp.h"
#include "kernels/thresholds/moving_average.h"
#include "kernels/thresholds/threshold_rule.h"
#include "kernels/units.h"
#include "util/host_device.h"

namespace fer::kernels {

/// Every row counts, less the further its confidence stays below the mean:
///
///   weight = exp(−min(max q − μ, 0)² / (2σ²/4)),
///   μ ← m μ + (1 − m) mean_u max q,   σ² ← m σ² + (1 − m) var_u max q,   m = 0.999,
///
/// with the unbiased variance of the step's rows; μ = 1/C and σ² = 1 at first. The divisor 4 is the
/// reference code's two sigmas.
///
/// SoftMatch: Chen et al., ICLR 2023, arXiv 2301.10921, without its uniform alignment, which
/// supposes that all classes are equally frequent. The threshold shown for a class is the
/// confidence of weight 1/2. State: μ and σ².
struct Soft {
  FER_HOST_DEVICE static void begin(const ThresholdRule& rule, int classes, ThresholdState& s) {
    s.mean = 1.f / static_cast<float>(classes);
    s.variance = 1;
    show(rule, classes, s);
  }

  /// `sums.confidence`, `sums.squares`: of the confidence of all rows.
  FER_HOST_DEVICE static void learn(const ThresholdRule& rule, const StepSums& sums,
                                    const StepPlace& now, ThresholdState& s) {
    if (now.rows == 0) return;
    const double mean = from_units(sums.confidence) / now.rows;
    s.mean = moved(s.mean, rule.momentum, static_cast<float>(mean));
    // One row says nothing of the spread.
    if (now.rows > 1) {
      const double spread = from_units(sums.squares) - mean * mean * now.rows;
      s.variance = moved(s.variance, rule.momentum,
                         static_cast<float>((spread > 0 ? spread : 0) / (now.rows - 1)));
    }
    show(rule, now.classes, s);
  }

  FER_HOST_DEVICE static void show(const ThresholdRule& rule, int classes, ThresholdState& s) {
    // exp(−d² / (2σ²/4)) = 1/2 at d = sqrt(ln 2 · 2σ²/4).
    const double ln2 = 0.69314718055994531;
    const float half =
        s.mean - std::sqrt(s.variance * static_cast<float>(2 * ln2 / (rule.sigmas * rule.sigmas)));
    for (int k = 0; k < classes; ++k) s.thresholds[k] = half > 0 ? half : 0;
  }

  FER_HOST_DEVICE static float weight(const ThresholdRule& rule, const ThresholdState& s,
                                      float confidence) {
    const float distance = confidence - s.mean;
    const float below = distance < 0 ? distance : 0;
    // Where all rows are equally sure, the variance dies away; the weight of the mean stays 1.
    const float variance = s.variance > 1e-12f ? s.variance : 1e-12f;
    return exp_of_negative(-below * below /
                           (2 * variance / static_cast<float>(rule.sigmas * rule.sigmas)));
  }
};

}  // namespace fer::kernels
