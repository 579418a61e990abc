// How often a learner looks for faces that have grown too old. Free of LibTorch.
#pragma once

#include <algorithm>
#include <chrono>

namespace fer {

/// Seconds between two looks, where no face comes meanwhile: a tenth of the largest age, a minute
/// at most. 0: never, as where faces have no largest age.
inline std::chrono::duration<double> expiry_interval(double max_sample_age) {
  return std::chrono::duration<double>(
      max_sample_age <= 0 ? 0 : std::clamp(max_sample_age / 10, 0.1, 60.0));
}

}  // namespace fer
