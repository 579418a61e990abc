#pragma once

#include <cmath>

#include "kernels/thresholds/threshold_rule.h"
#include "kernels/units.h"
#include "util/host_device.h"

namespace fer::kernels {

/// Dynamic threshold adjustment: Ada-CM's threshold, moved by every step instead of every epoch:
///
///   T_c(t) = clip(β · m_c · r(t), T_min, T_max),   r(t) = 1 / (1 + e^(−t/R)),
///
/// m_c the running mean of the teacher's confidence on the labelled rows of class c that it gets
/// right: each such row counts 1 − d, and what came before fades by d (d = 0.99, about the last
/// hundred rows), divided by the weight that has come together, so that the first row is the first
/// mean. A class without one has T_min. β = 0.97, T_min = 0.8, T_max = 0.95, R = 500 steps.
///
/// Our reconstruction of DTA (Cai et al. 2026, arXiv 2601.05556), of which we know the abstract,
/// not the formulas, on the ground of Ada-CM (arXiv 2203.12341). State: weighted sum, weight, T (C
/// each).
struct Dta {
  FER_HOST_DEVICE static void begin(const ThresholdRule& rule, int classes, ThresholdState& s) {
    set_all(rule.least, classes, s);
  }

  /// `sums.by_class`, `sums.counts`: of the confidence of the labelled rows that are right.
  FER_HOST_DEVICE static void learn(const ThresholdRule& rule, const StepSums& sums,
                                    const StepPlace& now, ThresholdState& s) {
    const double rise = 1 / (1 + std::exp(-static_cast<double>(now.step) / rule.ramp));
    for (int k = 0; k < now.classes; ++k) {
      const auto count = static_cast<float>(sums.counts[k]);
      const float mean =
          static_cast<float>(from_units(sums.by_class[k])) / (count > 1 ? count : 1.f);
      // The rows of one step are taken as one block: the past fades by d for each of them.
      const float kept = std::pow(static_cast<float>(rule.decay), count);
      s.sums[k] = s.sums[k] * kept + (1 - kept) * mean;
      s.counts[k] = s.counts[k] * kept + (1 - kept);
      const float m = s.sums[k] / (s.counts[k] > 1e-12f ? s.counts[k] : 1e-12f);
      const float t = m * static_cast<float>(rule.beta * rise);
      const auto least = static_cast<float>(rule.least), most = static_cast<float>(rule.most);
      s.thresholds[k] = t < least ? least : t > most ? most : t;
    }
  }
};

}  // namespace fer::kernels
