#pragma once

#include "kernels/negatives/negative_row.h"

namespace fer::kernels {

/// S(u) = all classes but the teacher's k likeliest, for all rows, accepted or not; k >= 2 is the
/// smallest number at which the teacher's label of every row of the step is among the k likeliest
/// of the strong view: top-k agreement of the two views is then complete.
///
/// FullMatch (its adaptive negative learning): Chen et al., CVPR 2023, arXiv 2303.11066. Its
/// entropy meaning loss is another loss, and is not here.
struct FullMatch : NegativeDefaults {
  static constexpr const char* kName = "fullmatch";
  static constexpr bool kOnAccepted = true;
  static constexpr bool kNeedsAgreement = true;

  /// Classes of a row that the strong view `p` (C) thinks likelier than the teacher's label.
  FER_HOST_DEVICE static int likelier(const float* p, int classes, int label) {
    int count = 0;
    for (int k = 0; k < classes; ++k) count += p[k] > p[label];
    return count;
  }

  /// k of a step whose worst row has so many likelier classes.
  FER_HOST_DEVICE static int keep(int likelier) { return likelier + 1 > 2 ? likelier + 1 : 2; }

  FER_HOST_DEVICE static bool rules_out(const Settings&, const State&, const NegativeRow& row,
                                        int k) {
    const float* q = row.q;
    int higher = 0;
    for (int j = 0; j < row.classes; ++j) higher += q[j] > q[k] || (q[j] == q[k] && j < k);
    return higher >= row.keep;
  }
};

}  // namespace fer::kernels
