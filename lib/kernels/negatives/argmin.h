#pragma once

#include "kernels/negatives/lowest.h"
#include "util/host_device.h"

namespace fer::kernels {

/// S(u) = the one class that the teacher thinks least likely, for rows that are not accepted.
///
/// Negative learning with one complementary label (NLNL: Kim et al., ICCV 2019, arXiv 1908.07387),
/// the label taken where the teacher is surest rather than at random.
struct Argmin {
  FER_HOST_DEVICE static bool rules_out(const float* q, int classes, int k) {
    return Lowest::rules_out(1, q, classes, k);
  }
};

}  // namespace fer::kernels
