// A small random generator that a seed and a position fix wholly, so that a run that was stopped
// goes on as if it had not been.
#pragma once

#include <cstdint>

namespace fer {

/// SplitMix64 (Steele, Lea, Flood 2014). Meets UniformRandomBitGenerator.
class Random {
 public:
  using result_type = std::uint64_t;

  /// Streams of different (seed, a, b) are independent for our purposes.
  explicit Random(std::uint64_t seed, std::uint64_t a = 0, std::uint64_t b = 0)
      : state_(mix(mix(mix(seed) + a) + b)) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() { return mix(state_ += 0x9e3779b97f4a7c15u); }

  /// In [low, high).
  double uniform(double low = 0, double high = 1) {
    return low + (high - low) * static_cast<double>((*this)() >> 11) * 0x1p-53;
  }
  bool chance(double probability) { return uniform() < probability; }
  /// In [0, n).
  std::uint64_t below(std::uint64_t n) { return (*this)() % n; }

 private:
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace fer
