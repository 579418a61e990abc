// Crops for what looks at pixels.
#pragma once

#include <cstdint>
#include <vector>

#include "util/random.h"

namespace fer::test {

/// A square of noise about a shade; `contrast` 0: flat.
inline std::vector<std::uint8_t> noisy_crop(int side, double shade, double contrast,
                                            std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<std::uint8_t> crop;
  for (int i = 0; i < side * side; ++i)
    crop.push_back(static_cast<std::uint8_t>(shade + random.uniform(-contrast, contrast)));
  return crop;
}

}  // namespace fer::test
