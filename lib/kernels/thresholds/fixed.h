#pragma once

#include "kernels/thresholds/threshold_rule.h"
#include "util/host_device.h"

namespace fer::kernels {

/// One threshold for all classes and all times: accepted where max q >= τ, τ = 0.95.
///
/// FixMatch: Sohn et al., NeurIPS 2020, arXiv 2001.07685. Stateless.
struct Fixed {
  FER_HOST_DEVICE static void begin(const ThresholdRule& rule, int classes, ThresholdState& s) {
    set_all(rule.tau, classes, s);
  }
};

}  // namespace fer::kernels
