#pragma once

#include <cmath>

#include "kernels/thresholds/threshold_rule.h"
#include "kernels/units.h"
#include "util/host_device.h"

namespace fer::kernels {

/// A threshold a class from the teacher's confidence on labelled rows, once an epoch:
///
///   T_c = max(T_min, β · m_c / (1 + e^−epoch)),  β = 0.97, T_min = 0.8,
///
/// m_c the mean of max q over the labelled rows of class c that were rightly predicted in the epoch
/// that ended; T_min where there was none, and before the first epoch ends.
///
/// Ada-CM: Li et al., CVPR 2022, arXiv 2203.12341, and the constants of its published code. Its
/// contrastive loss on what is not accepted is no threshold, and is not here; its confidence is the
/// mean over two weak views, here one. State: sums and counts of the epoch at hand, T (C each), its
/// number.
struct AdaCm {
  FER_HOST_DEVICE static void begin(const ThresholdRule& rule, int classes, ThresholdState& s) {
    set_all(rule.least, classes, s);
  }

  /// `sums.by_class`, `sums.counts`: of the confidence of the labelled rows that are right.
  FER_HOST_DEVICE static void learn(const ThresholdRule& rule, const StepSums& sums,
                                    const StepPlace& now, ThresholdState& s) {
    const bool ended = s.mean != static_cast<float>(now.epoch);
    const double rise = 1 / (1 + std::exp(-static_cast<double>(now.epoch)));
    for (int k = 0; k < now.classes; ++k) {
      if (ended) {
        const float next = s.sums[k] / (s.counts[k] > 1 ? s.counts[k] : 1.f) *
                           static_cast<float>(rule.beta * rise);
        const auto least = static_cast<float>(rule.least);
        s.thresholds[k] = next > least ? next : least;
        s.sums[k] = s.counts[k] = 0;
      }
      s.sums[k] += static_cast<float>(from_units(sums.by_class[k]));
      s.counts[k] += static_cast<float>(sums.counts[k]);
    }
    s.mean = static_cast<float>(now.epoch);
  }
};

}  // namespace fer::kernels
