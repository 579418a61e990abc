// A cap on each class's share of the accepted pseudo-labels. Free of LibTorch.
#pragma once

#include <vector>

#include "export.h"

namespace fer {

/// Pseudo-labels feed on themselves: a class that is accepted more is predicted more. So no class
/// may exceed its share of the lately accepted rows (counts that fade by 1 % per step). Rows beyond
/// the share are not accepted, the least confident first.
class FER_API ClassBalanceCap {
 public:
  /// `most`: the largest share of one class, in (0, 1]. `allowance`: rows that a class may have of
  /// the faded count whatever the others have, so that the first can be accepted.
  ClassBalanceCap(int classes, double most, double allowance);

  /// Rows in [0, N): `labels[i] = -1` where the row is not accepted anyway. Returns what is
  /// accepted, and counts it.
  std::vector<bool> admit(const std::vector<int>& labels, const std::vector<float>& confidences);

  const std::vector<double>& counts() const { return counts_; }
  void restore(const std::vector<double>& counts) { counts_ = counts; }

 private:
  double most_, allowance_;
  std::vector<double> counts_;
};

}  // namespace fer
