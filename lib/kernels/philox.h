// Counter-based random numbers: each follows from its position alone, so that threads of a device
// draw what the processor draws.
#pragma once

#include <cstdint>

#include "util/host_device.h"

namespace fer::kernels {

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"):
/// four words of 32 bits for a counter of four and a key of two.
struct PhiloxWords {
  std::uint32_t word[4];
};
FER_HOST_DEVICE inline PhiloxWords philox(PhiloxWords counter, std::uint64_t key) {
  auto low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
  std::uint32_t* w = counter.word;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * w[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * w[2];
    const std::uint32_t first = static_cast<std::uint32_t>(b >> 32) ^ w[1] ^ low;
    const std::uint32_t third = static_cast<std::uint32_t>(a >> 32) ^ w[3] ^ high;
    w[0] = first;
    w[1] = static_cast<std::uint32_t>(b);
    w[2] = third;
    w[3] = static_cast<std::uint32_t>(a);
    low += 0x9E3779B9u;
    high += 0xBB67AE85u;
  }
  return counter;
}

/// The random numbers of one position of one stream, in order. Has the members of fer::Random.
class PhiloxRandom {
 public:
  /// Streams of different (seed, stream, position) are independent.
  FER_HOST_DEVICE PhiloxRandom(std::uint64_t seed, std::uint32_t stream, std::uint64_t position)
      : seed_(seed),
        counter_{{0, stream, static_cast<std::uint32_t>(position),
                  static_cast<std::uint32_t>(position >> 32)}} {}

  FER_HOST_DEVICE std::uint64_t operator()() {
    if (left_ == 0) {
      words_ = philox(counter_, seed_);
      ++counter_.word[0];
      left_ = 4;
    }
    left_ -= 2;
    return static_cast<std::uint64_t>(words_.word[left_ + 1]) << 32 | words_.word[left_];
  }

  /// In [low, high).
  FER_HOST_DEVICE double uniform(double low = 0, double high = 1) {
    return low + (high - low) * static_cast<double>((*this)() >> 11) * 0x1p-53;
  }
  FER_HOST_DEVICE bool chance(double probability) { return uniform() < probability; }
  /// In [0, n).
  FER_HOST_DEVICE std::uint64_t below(std::uint64_t n) { return (*this)() % n; }

 private:
  std::uint64_t seed_;
  PhiloxWords counter_, words_{};
  int left_ = 0;  ///< Words not drawn yet.
};

}  // namespace fer::kernels
