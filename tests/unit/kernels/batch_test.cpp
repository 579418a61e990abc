#include "kernels/batch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fer::kernels {
namespace {

/// The value that a half's bits stand for.
double half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double size =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return bits >> 15 ? -size : size;
}

TEST(HalfBits, TakesTheNearestHalf) {
  for (int bits = 0; bits < 0x7c00; ++bits) {
    const double here = half_value(static_cast<std::uint16_t>(bits));
    ASSERT_EQ(half_bits(static_cast<float>(here)), bits);
    ASSERT_EQ(half_bits(static_cast<float>(-here)), bits | 0x8000);
    if (bits == 0x7bff) break;
    // Half-way between two, the even one.
    const double next = half_value(static_cast<std::uint16_t>(bits + 1));
    ASSERT_EQ(half_bits(static_cast<float>((here + next) / 2)), bits + (bits & 1)) << bits;
    ASSERT_EQ(half_bits(static_cast<float>(here * 0.51 + next * 0.49)), bits) << bits;
  }
}

TEST(HalfBits, KnowsWhatIsNoNumberOrTooLarge) {
  EXPECT_EQ(half_bits(65519.f), 0x7bff);
  EXPECT_EQ(half_bits(65520.f), 0x7c00);
  EXPECT_EQ(half_bits(-1e9f), 0xfc00);
  EXPECT_EQ(half_bits(std::numeric_limits<float>::infinity()), 0x7c00);
  EXPECT_GT(half_bits(std::nanf("")) & 0x7fff, 0x7c00);
}

TEST(IndexIn, OrdersValues) {
  Batch batch{nullptr, Batch::kFp32, Batch::kNchw, 3, 4, 5};
  EXPECT_EQ(index_in(batch, 2, 1, 3, 4), ((2u * 3 + 1) * 4 + 3) * 5 + 4);
  batch.order = Batch::kNhwc;
  EXPECT_EQ(index_in(batch, 2, 1, 3, 4), ((2u * 4 + 3) * 5 + 4) * 3 + 1);
}

}  // namespace
}  // namespace fer::kernels
