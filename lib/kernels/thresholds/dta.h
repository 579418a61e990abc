#pragma once

#include <cmath>

#include "kernels/thresholds/threshold_step.h"

namespace fer::kernels {

/// Dynamic threshold adjustment: Ada-CM's threshold, moved by every step instead of every epoch:
///
///   T_c(t) = clip(β · m_c · r(t), T_min, T_max),   r(t) = 1 / (1 + e^(−t/R)),
///
/// where m_c is the running mean of the teacher's confidence on the labelled rows of class c that
/// it gets right. Each such row counts 1 − d, and what came before fades by d (d = 0.99, about the
/// last hundred rows); the sum is divided by the weight that has come together, so that the first
/// row is the first mean. A class without one has T_min. β = 0.97, T_min = 0.8, T_max = 0.95, R =
/// 500 steps.
///
/// Our reconstruction of DTA (Cai et al. 2026, arXiv 2601.05556), of which we know the abstract,
/// not the formulas, on the ground of Ada-CM (arXiv 2203.12341).
struct Dta : ThresholdDefaults {
  static constexpr const char* kName = "dta";
  static constexpr bool kReadsLabelled = true;
  static constexpr bool kKeepsThresholds = true;
  struct Settings {
    double beta = 0.97;
    double t_min = 0.8;
    double t_max = 0.95;
    double decay = 0.99;  ///< d.
    double ramp = 500;    ///< R, steps.
  };
  struct State {
    float sum[kMaxClasses] = {};
    float weight[kMaxClasses] = {};
  };
  template <class Fields>
  static void settings(Fields&& field, Settings& s) {
    field("beta", s.beta, 0, 2);
    field("t-min", s.t_min, 0, 1);
    field("t-max", s.t_max, s.t_min, 1);
    field("decay", s.decay, 0, 0.999999);
    field("ramp", s.ramp, 1, 1e9);
  }
  template <class Fields>
  static void state(Fields&& field, State& s) {
    field("sum", s.sum);
    field("weight", s.weight);
  }

  FER_HOST_DEVICE static void begin(const Settings& set, int classes, State&, float* thresholds) {
    set_all(set.t_min, classes, thresholds);
  }

  FER_HOST_DEVICE static void learn(const Settings& set, const StepSums& sums, const StepPlace& now,
                                    State& s, float* thresholds) {
    const double rise = 1 / (1 + std::exp(-static_cast<double>(now.step) / set.ramp));
    for (int k = 0; k < now.classes; ++k) {
      const auto count = static_cast<float>(sums.counts[k]);
      const float mean =
          static_cast<float>(from_units(sums.by_class[k])) / (count > 1 ? count : 1.f);
      // The rows of one step are taken as one block: the past fades by d for each of them.
      const float kept = std::pow(static_cast<float>(set.decay), count);
      s.sum[k] = s.sum[k] * kept + (1 - kept) * mean;
      s.weight[k] = s.weight[k] * kept + (1 - kept);
      const float m = s.sum[k] / (s.weight[k] > 1e-12f ? s.weight[k] : 1e-12f);
      const float t = m * static_cast<float>(set.beta * rise);
      const auto low = static_cast<float>(set.t_min), high = static_cast<float>(set.t_max);
      thresholds[k] = t < low ? low : t > high ? high : t;
    }
  }
};

}  // namespace fer::kernels
