#pragma once

#include "kernels/negatives/negative_row.h"

namespace fer::kernels {

/// Selective negative learning, for rows that are not accepted:
///
///   S(u) = {k : Σ_{j : q_j <= q_k} q_j <= α  and  p_k >= ε},  α = 0.1, ε = 0.01.
///
/// Selective means both: the first condition leaves plausible classes out, since all classes of
/// S(u) together hold no more than α of the teacher's probability (the more it hesitates, the fewer
/// they are; a calibrated teacher rules the truth out in at most a share α of the rows); the second
/// does not spend the loss on classes that the student has done with.
///
/// Our reconstruction of SNL (Cai et al. 2026, arXiv 2601.05556), of which we know the abstract,
/// not the formulas.
struct Snl : NegativeDefaults {
  static constexpr const char* kName = "snl";
  struct Settings {
    double mass = 0.1;    ///< α.
    double floor = 0.01;  ///< ε.
  };
  template <class Fields>
  static void settings(Fields&& field, Settings& s, int) {
    field("mass", s.mass, 0, 1);
    field("floor", s.floor, 0, 1);
  }

  FER_HOST_DEVICE static bool rules_out(const Settings& set, const State&, const NegativeRow& row,
                                        int k) {
    // The class together with all less likely ones, ties in their order; a small allowance, so that
    // rounding in the sum does not decide.
    const float* q = row.q;
    float together = 0;
    for (int j = 0; j < row.classes; ++j)
      together += q[j] < q[k] || (q[j] == q[k] && j <= k) ? q[j] : 0.f;
    return together <= static_cast<float>(set.mass + 1e-6) &&
           row.p[k] >= static_cast<float>(set.floor);
  }
};

}  // namespace fer::kernels
