#pragma once

#include "kernels/thresholds/moving_average.h"
#include "kernels/thresholds/threshold_rule.h"
#include "kernels/units.h"
#include "util/host_device.h"

namespace fer::kernels {

/// A global threshold that follows the mean confidence, lowered for classes that are predicted
/// less:
///
///   τ ← λ τ + (1 − λ) mean_u max q(u),   p̃_c ← λ p̃_c + (1 − λ) mean_u q_c(u),
///   T_c = τ · p̃_c / max_k p̃_k,          λ = 0.999, both 1/C at first.
///
/// FreeMatch (its self-adaptive threshold): Wang et al., ICLR 2023, arXiv 2205.07246. The paper's
/// fairness term is a loss of its own, no threshold, and is not here. State: τ and p̃ (C).
struct Free {
  FER_HOST_DEVICE static void begin(const ThresholdRule& rule, int classes, ThresholdState& s) {
    s.mean = 1.f / static_cast<float>(classes);
    for (int k = 0; k < classes; ++k) s.sums[k] = s.mean;
    show(rule, classes, s);
  }

  /// `sums.by_class`, `sums.confidence`: of the probabilities of all rows.
  FER_HOST_DEVICE static void learn(const ThresholdRule& rule, const StepSums& sums,
                                    const StepPlace& now, ThresholdState& s) {
    if (now.rows == 0) return;
    const auto mean_of = [&](unsigned long long sum) {
      return static_cast<float>(from_units(sum) / now.rows);
    };
    s.mean = moved(s.mean, rule.momentum, mean_of(sums.confidence));
    for (int k = 0; k < now.classes; ++k)
      s.sums[k] = moved(s.sums[k], rule.momentum, mean_of(sums.by_class[k]));
    show(rule, now.classes, s);
  }

  FER_HOST_DEVICE static void show(const ThresholdRule&, int classes, ThresholdState& s) {
    float top = 0;
    for (int k = 0; k < classes; ++k) top = s.sums[k] > top ? s.sums[k] : top;
    for (int k = 0; k < classes; ++k) s.thresholds[k] = s.mean * s.sums[k] / top;
  }
};

}  // namespace fer::kernels
