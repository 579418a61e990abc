#pragma once

#include "util/host_device.h"

namespace fer::kernels {

/// An average of which the past keeps `momentum`; in single precision, as the state is kept.
FER_HOST_DEVICE inline float moved(float average, double momentum, float now) {
  return average * static_cast<float>(momentum) + static_cast<float>(1 - momentum) * now;
}

}  // namespace fer::kernels
