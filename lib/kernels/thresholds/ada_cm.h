#pragma once

#include <cmath>

#include "kernels/thresholds/threshold_step.h"

namespace fer::kernels {

/// A threshold for each class from the teacher's confidence on labelled rows, once an epoch:
///
///   T_c = max(T_min, β · m_c / (1 + e^−epoch)),  β = 0.97, T_min = 0.8,
///
/// where m_c is the mean of max q over the labelled rows of class c that were rightly predicted in
/// the epoch that ended. T_c is T_min where there was none, and before the first epoch ends.
///
/// Ada-CM: Li et al., CVPR 2022, arXiv 2203.12341, and the constants of its published code. Its
/// contrastive loss on what is not accepted is no threshold, and is not here; its confidence is the
/// mean over two weak views, here one. The state sums over the epoch at hand.
struct AdaCm : ThresholdDefaults {
  static constexpr const char* kName = "ada-cm";
  static constexpr bool kReadsLabelled = true;
  static constexpr bool kKeepsThresholds = true;
  struct Settings {
    double beta = 0.97;
    double t_min = 0.8;
  };
  struct State {
    float sum[kMaxClasses] = {};
    float count[kMaxClasses] = {};
    float epoch = 0;
  };
  template <class Fields>
  static void settings(Fields&& field, Settings& s) {
    field("beta", s.beta, 0, 1);
    field("t-min", s.t_min, 0, 1);
  }
  template <class Fields>
  static void state(Fields&& field, State& s) {
    field("sum", s.sum);
    field("count", s.count);
    field("epoch", s.epoch);
  }

  FER_HOST_DEVICE static void begin(const Settings& set, int classes, State&, float* thresholds) {
    set_all(set.t_min, classes, thresholds);
  }

  FER_HOST_DEVICE static void learn(const Settings& set, const StepSums& sums, const StepPlace& now,
                                    State& s, float* thresholds) {
    const bool ended = s.epoch != static_cast<float>(now.epoch);
    const double rise = 1 / (1 + std::exp(-static_cast<double>(now.epoch)));
    for (int k = 0; k < now.classes; ++k) {
      if (ended) {
        const float next =
            s.sum[k] / (s.count[k] > 1 ? s.count[k] : 1.f) * static_cast<float>(set.beta * rise);
        const auto t_min = static_cast<float>(set.t_min);
        thresholds[k] = next > t_min ? next : t_min;
        s.sum[k] = s.count[k] = 0;
      }
      s.sum[k] += static_cast<float>(from_units(sums.by_class[k]));
      s.count[k] += static_cast<float>(sums.counts[k]);
    }
    s.epoch = static_cast<float>(now.epoch);
  }
};

}  // namespace fer::kernels
