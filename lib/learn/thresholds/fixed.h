#pragma once

#include "host_device.h"
#include "learn/thresholds/threshold_rule.h"

namespace fer::kernels {

/// One threshold for all classes and all times: accepted where max q >= τ, τ = 0.95.
///
/// FixMatch: Sohn et al., NeurIPS 2020, arXiv 2001.07685. Stateless.
struct Fixed {
  FER_HOST_DEVICE static void begin(const ThresholdRule& rule, int classes, ThresholdState& s) {
    for (int k = 0; k < classes; ++k) s.thresholds[k] = static_cast<float>(rule.tau);
  }
};

}  // namespace fer::kernels
