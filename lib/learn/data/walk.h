// An order of things to learn from that never ends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "util/random.h"

namespace fer {

/// An endless walk through `size` things, each once a round, every round in another order. Where it
/// leads follows from seed, stream and position alone. Not thread-safe.
class Walk {
 public:
  Walk(std::size_t size, std::uint64_t seed, std::uint64_t stream)
      : size_(size), seed_(seed), stream_(stream) {}

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
