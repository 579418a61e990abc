#pragma once

#include "kernels/negatives/negative_row.h"

namespace fer::kernels {

/// No negative learning, as in FixMatch and its kin: S(u) is empty.
struct NoNegatives : NegativeDefaults {
  static constexpr const char* kName = "none";
  FER_HOST_DEVICE static bool rules_out(const Settings&, const State&, const NegativeRow&, int) {
    return false;
  }
};

}  // namespace fer::kernels
