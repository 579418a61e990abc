#pragma once

#include <cmath>

#include "kernels/fast_exp.h"
#include "kernels/thresholds/moving_average.h"
#include "kernels/thresholds/threshold_step.h"

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
/// confidence of weight 1/2.
struct Soft : ThresholdDefaults {
  static constexpr const char* kName = "soft";
  struct Settings {
    double momentum = 0.999;  ///< m.
    double sigmas = 2;
  };
  struct State {
    float mean = 0;
    float variance = 0;
  };
  template <class Fields>
  static void settings(Fields&& field, Settings& s) {
    field("momentum", s.momentum, 0, 1);
    field("sigmas", s.sigmas, 0.1, 10);
  }
  template <class Fields>
  static void state(Fields&& field, State& s) {
    field("mean", s.mean);
    field("variance", s.variance);
  }

  FER_HOST_DEVICE static void begin(const Settings& set, int classes, State& s, float* thresholds) {
    s.mean = 1.f / static_cast<float>(classes);
    s.variance = 1;
    show(set, classes, s, thresholds);
  }

  template <class Sums>
  FER_HOST_DEVICE static void observe(const Settings&, const TeacherRow& row, Sums& sums) {
    sums.add_confidence(row.confidence);
    sums.add_square(row.confidence * row.confidence);
  }

  FER_HOST_DEVICE static void learn(const Settings& set, const StepSums& sums, const StepPlace& now,
                                    State& s, float* thresholds) {
    if (now.rows == 0) return;
    const double mean = from_units(sums.confidence) / now.rows;
    s.mean = moved(s.mean, set.momentum, static_cast<float>(mean));
    // One row says nothing of the spread.
    if (now.rows > 1) {
      const double spread = from_units(sums.squares) - mean * mean * now.rows;
      s.variance = moved(s.variance, set.momentum,
                         static_cast<float>((spread > 0 ? spread : 0) / (now.rows - 1)));
    }
    show(set, now.classes, s, thresholds);
  }

  FER_HOST_DEVICE static void show(const Settings& set, int classes, const State& s,
                                   float* thresholds) {
    // exp(−d² / (2σ²/4)) = 1/2 at d = sqrt(ln 2 · 2σ²/4).
    const double ln2 = 0.69314718055994531;
    const float half =
        s.mean - std::sqrt(s.variance * static_cast<float>(2 * ln2 / (set.sigmas * set.sigmas)));
    for (int k = 0; k < classes; ++k) thresholds[k] = half > 0 ? half : 0;
  }

  FER_HOST_DEVICE static float weight(const Settings& set, const State& s, float /*threshold*/,
                                      float confidence) {
    const float distance = confidence - s.mean;
    const float below = distance < 0 ? distance : 0;
    // Where all rows are equally sure, the variance dies away; the weight of the mean stays 1.
    const float variance = s.variance > 1e-12f ? s.variance : 1e-12f;
    return exp_of_negative(-below * below /
                           (2 * variance / static_cast<float>(set.sigmas * set.sigmas)));
  }
};

}  // namespace fer::kernels
