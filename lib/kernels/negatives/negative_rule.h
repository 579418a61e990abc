// A negative policy without tensors, as plain numbers that processor and device share. The
// policies' formulas stand in the headers of this folder, one a policy.
#pragma once

namespace fer::kernels {

/// A negative policy by its kind, with the settings that the kind has.
struct NegativeRule {
  enum Kind { kNone, kUps, kFullMatch, kLowest, kArgmin, kSnl };
  Kind kind = kSnl;
  double tau = 0.05;    ///< ups.
  int count = 3;        ///< lowest: n.
  double mass = 0.1;    ///< snl.
  double floor = 0.01;  ///< snl.
};

}  // namespace fer::kernels
