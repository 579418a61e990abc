#pragma once

#include "kernels/thresholds/threshold_step.h"

namespace fer::kernels {

/// One threshold for all classes and all times: accepted where max q >= τ, τ = 0.95.
///
/// FixMatch: Sohn et al., NeurIPS 2020, arXiv 2001.07685. Stateless.
struct Fixed : ThresholdDefaults {
  static constexpr const char* kName = "fixed";
  struct Settings {
    double tau = 0.95;
  };
  template <class Fields>
  static void settings(Fields&& field, Settings& s) {
    field("tau", s.tau, 0, 1);
  }

  FER_HOST_DEVICE static void begin(const Settings& set, int classes, State&, float* thresholds) {
    set_all(set.tau, classes, thresholds);
  }
};

}  // namespace fer::kernels
