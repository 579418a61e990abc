// How sure a counted proportion is.
#pragma once

#include <algorithm>
#include <cmath>

namespace fer {

/// Lower bound of a proportion of which `successes` of `trials` were seen, `z` standard deviations
/// down (the score interval, Wilson 1927). Both may be fractions, as sums of weights are. 0 without
/// trials.
inline double wilson_lower_bound(double successes, double trials, double z) {
  if (trials <= 0) return 0;
  const double p = successes / trials, zz = z * z;
  const double centre = p + zz / (2 * trials);
  const double margin = z * std::sqrt(p * (1 - p) / trials + zz / (4 * trials * trials));
  return std::max(0.0, (centre - margin) / (1 + zz / trials));
}

}  // namespace fer
