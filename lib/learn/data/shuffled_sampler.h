// The order in which training visits its samples.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "util/random.h"

namespace fer {

/// Indices of `size` samples without end: each round visits every sample once, in a new random
/// order. An index follows from seed, stream and position alone, so that a stopped run can go on.
/// Not thread-safe.
class ShuffledSampler {
 public:
  ShuffledSampler(std::size_t size, std::uint64_t seed, std::uint64_t stream)
      : size_(size), seed_(seed), stream_(stream) {}

  /// The index at this position; positions count from 0 over all rounds.
  std::size_t at(std::uint64_t position) {
    const std::uint64_t round = position / size_;
    if (round != round_) {
      order_.resize(size_);
      std::iota(order_.begin(), order_.end(), std::size_t{0});
      Random random(seed_, stream_, round);
      std::shuffle(order_.begin(), order_.end(), random);
      round_ = round;
    }
    return order_[position % size_];
  }

 private:
  const std::size_t size_;
  const std::uint64_t seed_, stream_;
  std::uint64_t round_ = ~0ull;
  std::vector<std::size_t> order_;
};

}  // namespace fer
