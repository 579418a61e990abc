#pragma once

#include "kernels/thresholds/threshold_rule.h"
#include "util/host_device.h"

namespace fer::kernels {

/// Classes of which few rows are confident have lower thresholds:
///
///   T_c = τ · x/(2 − x),  x = σ_c / max(max_k σ_k, unused),  τ = 0.95,
///
/// where σ_c counts the unlabelled rows of class c with max q >= τ, and `unused` those below τ in
/// all (the warm-up of the paper's equation 11: with few confident rows, x stays small for all).
///
/// FlexMatch: Zhang et al., NeurIPS 2021, arXiv 2110.08263. The paper counts over the whole
/// unlabelled set by keeping a label for each row; here, so that streams can be counted too, over a
/// window of W rows whose past fades: σ ← (1 − n/W) σ + counts of the step's n rows. σ and unused
/// always sum to W, and begin as "all unused". State: σ (C) and unused.
struct Flex {
  FER_HOST_DEVICE static void begin(const ThresholdRule& rule, int classes, ThresholdState& s) {
    s.mean = static_cast<float>(rule.window);
    show(rule, classes, s);
  }

  /// `sums.counts`: rows of each label with max q >= τ.
  FER_HOST_DEVICE static void learn(const ThresholdRule& rule, const StepSums& sums,
                                    const StepPlace& now, ThresholdState& s) {
    const double left = 1 - now.rows / rule.window;
    const float kept = left > 0 ? static_cast<float>(left) : 0.f;
    unsigned long long confident = 0;
    for (int k = 0; k < now.classes; ++k) {
      s.sums[k] = s.sums[k] * kept + static_cast<float>(sums.counts[k]);
      confident += sums.counts[k];
    }
    s.mean =
        s.mean * kept + static_cast<float>(static_cast<unsigned long long>(now.rows) - confident);
    show(rule, now.classes, s);
  }

  FER_HOST_DEVICE static void show(const ThresholdRule& rule, int classes, ThresholdState& s) {
    float top = s.mean;
    for (int k = 0; k < classes; ++k) top = s.sums[k] > top ? s.sums[k] : top;
    for (int k = 0; k < classes; ++k) {
      const float x = s.sums[k] / top;
      s.thresholds[k] = static_cast<float>(rule.tau) * x / (2 - x);
    }
  }
};

}  // namespace fer::kernels
