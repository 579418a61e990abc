#pragma once

#include "kernels/negatives/lowest.h"

namespace fer::kernels {

/// S(u) = the one class that the teacher thinks least likely, for rows that are not accepted.
///
/// Negative learning with one complementary label (NLNL: Kim et al., ICCV 2019, arXiv 1908.07387),
/// the label taken where the teacher is surest rather than at random.
struct Argmin : NegativeDefaults {
  static constexpr const char* kName = "argmin";
  FER_HOST_DEVICE static bool rules_out(const Settings&, const State&, const NegativeRow& row,
                                        int k) {
    return Lowest::among_lowest(1, row, k);
  }
};

}  // namespace fer::kernels
