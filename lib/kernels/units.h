// Sums that come out the same in any order, so that blocks of a device may add as they come.
#pragma once

#include "util/host_device.h"

namespace fer::kernels {

/// A value in [0, 1] in units of 2^-32; 0 for what is no number.
FER_HOST_DEVICE inline unsigned long long to_units(float value) {
  return value > 0 ? static_cast<unsigned long long>(value * 4294967296.f) : 0;
}
FER_HOST_DEVICE inline double from_units(unsigned long long sum) {
  return static_cast<double>(sum) / 4294967296.;
}

}  // namespace fer::kernels
