#pragma once

#include "kernels/thresholds/threshold_step.h"

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
/// always sum to W, and begin as "all unused".
struct Flex : ThresholdDefaults {
  static constexpr const char* kName = "flex";
  struct Settings {
    double tau = 0.95;
    double window = 1;  ///< Rows.
  };
  struct State {
    float sigma[kMaxClasses] = {};
    float unused = 0;
  };
  template <class Fields>
  static void settings(Fields&& field, Settings& s) {
    field("tau", s.tau, 0, 1);
    field("window", s.window, 1, 1e9);
  }
  template <class Fields>
  static void state(Fields&& field, State& s) {
    field("sigma", s.sigma);
    field("unused", s.unused);
  }

  FER_HOST_DEVICE static void begin(const Settings& set, int classes, State& s, float* thresholds) {
    s.unused = static_cast<float>(set.window);
    show(set, classes, s, thresholds);
  }

  template <class Sums>
  FER_HOST_DEVICE static void observe(const Settings& set, const TeacherRow& row, Sums& sums) {
    if (row.confidence >= static_cast<float>(set.tau)) sums.count(row.label);
  }

  FER_HOST_DEVICE static void learn(const Settings& set, const StepSums& sums, const StepPlace& now,
                                    State& s, float* thresholds) {
    const double left = 1 - now.rows / set.window;
    const float kept = left > 0 ? static_cast<float>(left) : 0.f;
    unsigned long long confident = 0;
    for (int k = 0; k < now.classes; ++k) {
      s.sigma[k] = s.sigma[k] * kept + static_cast<float>(sums.counts[k]);
      confident += sums.counts[k];
    }
    s.unused =
        s.unused * kept + static_cast<float>(static_cast<unsigned long long>(now.rows) - confident);
    show(set, now.classes, s, thresholds);
  }

  FER_HOST_DEVICE static void show(const Settings& set, int classes, const State& s,
                                   float* thresholds) {
    float top = s.unused;
    for (int k = 0; k < classes; ++k) top = s.sigma[k] > top ? s.sigma[k] : top;
    for (int k = 0; k < classes; ++k) {
      const float x = s.sigma[k] / top;
      thresholds[k] = static_cast<float>(set.tau) * x / (2 - x);
    }
  }
};

}  // namespace fer::kernels
