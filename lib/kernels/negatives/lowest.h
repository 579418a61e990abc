#pragma once

#include "kernels/negatives/negative_row.h"

namespace fer::kernels {

/// S(u) = the n classes that the teacher thinks least likely, for rows that are not accepted; n
/// = 3.
///
/// The plain rule that the selective ones must beat: complementary labels (Ishida et al., NeurIPS
/// 2017, arXiv 1705.07541) taken from the lower end of a prediction.
struct Lowest : NegativeDefaults {
  static constexpr const char* kName = "lowest";
  struct Settings {
    double n = 3;  ///< A whole number.
  };
  template <class Fields>
  static void settings(Fields&& field, Settings& s, int classes) {
    const double most = classes - 1;
    if (s.n > most) s.n = most;
    field("n", s.n, 1, most);
  }

  /// Whether k is among the n least likely classes, ties in their order.
  FER_HOST_DEVICE static bool among_lowest(int n, const NegativeRow& row, int k) {
    const float* q = row.q;
    int lower = 0;
    for (int j = 0; j < row.classes; ++j) lower += q[j] < q[k] || (q[j] == q[k] && j < k);
    return lower < n;
  }

  FER_HOST_DEVICE static bool rules_out(const Settings& set, const State&, const NegativeRow& row,
                                        int k) {
    return among_lowest(static_cast<int>(set.n), row, k);
  }
};

}  // namespace fer::kernels
