#pragma once

#include "util/host_device.h"

namespace fer::kernels {

/// S(u) = the n classes that the teacher thinks least likely, for rows that are not accepted; n
/// = 3.
///
/// The plain rule that the selective ones must beat: complementary labels (Ishida et al., NeurIPS
/// 2017, arXiv 1705.07541) taken from the lower end of a prediction.
struct Lowest {
  FER_HOST_DEVICE static bool rules_out(int n, const float* q, int classes, int k) {
    int lower = 0;
    for (int j = 0; j < classes; ++j) lower += q[j] < q[k] || (q[j] == q[k] && j < k);
    return lower < n;
  }
};

}  // namespace fer::kernels
