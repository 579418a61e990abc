// Views that are the image itself.
#pragma once

#include "learn/augment/augment.h"

namespace fer::test {

/// Nothing changes.
inline AugmentConfig still_augment() {
  AugmentConfig config;
  config.flip = config.rotation = config.scale = config.stretch = config.shift = 0;
  config.gamma = config.contrast = config.brightness = 0;
  config.blur = config.noise = config.erase = 0;
  return config;
}

}  // namespace fer::test
