#pragma once

#include "kernels/thresholds/moving_average.h"
#include "kernels/thresholds/threshold_step.h"

namespace fer::kernels {

/// A global threshold that follows the mean confidence, lowered for classes that are predicted
/// less:
///
///   τ ← λ τ + (1 − λ) mean_u max q(u),   p̃_c ← λ p̃_c + (1 − λ) mean_u q_c(u),
///   T_c = τ · p̃_c / max_k p̃_k,          λ = 0.999, both 1/C at first.
///
/// FreeMatch (its self-adaptive threshold): Wang et al., ICLR 2023, arXiv 2205.07246. The paper's
/// fairness term is a loss of its own, no threshold, and is not here.
struct Free : ThresholdDefaults {
  static constexpr const char* kName = "free";
  struct Settings {
    double momentum = 0.999;  ///< λ.
  };
  struct State {
    float tau = 0;
    float p[kMaxClasses] = {};
  };
  template <class Fields>
  static void settings(Fields&& field, Settings& s) {
    field("momentum", s.momentum, 0, 1);
  }
  template <class Fields>
  static void state(Fields&& field, State& s) {
    field("tau", s.tau);
    field("p", s.p);
  }

  FER_HOST_DEVICE static void begin(const Settings& set, int classes, State& s, float* thresholds) {
    s.tau = 1.f / static_cast<float>(classes);
    for (int k = 0; k < classes; ++k) s.p[k] = s.tau;
    show(set, classes, s, thresholds);
  }

  template <class Sums>
  FER_HOST_DEVICE static void observe(const Settings&, const TeacherRow& row, Sums& sums) {
    for (int k = 0; k < row.classes; ++k) sums.add_class(k, row.q[k]);
    sums.add_confidence(row.confidence);
  }

  FER_HOST_DEVICE static void learn(const Settings& set, const StepSums& sums, const StepPlace& now,
                                    State& s, float* thresholds) {
    if (now.rows == 0) return;
    const auto mean_of = [&](unsigned long long sum) {
      return static_cast<float>(from_units(sum) / now.rows);
    };
    s.tau = moved(s.tau, set.momentum, mean_of(sums.confidence));
    for (int k = 0; k < now.classes; ++k)
      s.p[k] = moved(s.p[k], set.momentum, mean_of(sums.by_class[k]));
    show(set, now.classes, s, thresholds);
  }

  FER_HOST_DEVICE static void show(const Settings&, int classes, const State& s,
                                   float* thresholds) {
    float top = 0;
    for (int k = 0; k < classes; ++k) top = s.p[k] > top ? s.p[k] : top;
    for (int k = 0; k < classes; ++k) thresholds[k] = s.tau * s.p[k] / top;
  }
};

}  // namespace fer::kernels
