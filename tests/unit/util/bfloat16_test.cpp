#include "util/bfloat16.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace fer {
namespace {

TEST(Bfloat16, RoundsToTheNearest) {
  EXPECT_EQ(bfloat16_bits(1.f), 0x3f80);
  EXPECT_EQ(bfloat16_bits(1.f + 1.01f / 256), 0x3f81);
  EXPECT_EQ(bfloat16_bits(-2.f), 0xc000);
  EXPECT_EQ(bfloat16_bits(-0.f), 0x8000);
}

TEST(Bfloat16, TakesTheEvenOneHalfWayBetweenTwo) {
  EXPECT_EQ(bfloat16_bits(1.f + 1.f / 256), 0x3f80);
  EXPECT_EQ(bfloat16_bits(1.f + 3.f / 256), 0x3f82);
}

TEST(Bfloat16, BecomesInfinityBeyondTheLargest) {
  EXPECT_EQ(bfloat16_bits(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(bfloat16_bits(-std::numeric_limits<float>::infinity()), 0xff80);
}

TEST(Bfloat16, StaysNaNWhereverTheBitsOfANaNAre) {
  // Rounded as numbers, the first would be infinity and the second -0.
  for (const std::uint32_t nan :
       {0x7f800001u, 0x7fffffffu, 0x7fc00000u, 0xff800001u, 0xffffffffu}) {
    const std::uint16_t bits = bfloat16_bits(std::bit_cast<float>(nan));
    EXPECT_TRUE(std::isnan(bfloat16_value(bits))) << std::hex << nan << " became " << bits;
  }
}

TEST(Bfloat16, KeepsEveryValueThatItCanHold) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const float value = bfloat16_value(static_cast<std::uint16_t>(bits));
    if (!std::isnan(value)) {
      ASSERT_EQ(bfloat16_bits(value), bits);
    }
  }
}

}  // namespace
}  // namespace fer
