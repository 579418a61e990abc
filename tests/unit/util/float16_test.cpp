#include "util/float16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fer {
namespace {

TEST(Float16, IsExactForNormalNumbers) {
  EXPECT_EQ(float16_value(0x3c00), 1.f);
  EXPECT_EQ(float16_value(0xc000), -2.f);
  EXPECT_EQ(float16_value(0x3c01), 1.f + 1.f / 1024);
  EXPECT_EQ(float16_value(0x7bff), 65504.f) << "the largest";
  EXPECT_EQ(float16_value(0x0400), 0x1p-14f) << "the smallest normal one";
}

TEST(Float16, IsExactForSubnormalNumbers) {
  EXPECT_EQ(float16_value(0x0001), 0x1p-24f);
  EXPECT_EQ(float16_value(0x83ff), -1023 * 0x1p-24f);
}

TEST(Float16, KeepsTheSignOfZero) {
  EXPECT_EQ(float16_value(0x0000), 0.f);
  EXPECT_FALSE(std::signbit(float16_value(0x0000)));
  EXPECT_TRUE(std::signbit(float16_value(0x8000)));
}

TEST(Float16, KeepsInfinityAndNaN) {
  EXPECT_EQ(float16_value(0x7c00), std::numeric_limits<float>::infinity());
  EXPECT_EQ(float16_value(0xfc00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(float16_value(0x7c01)));
  EXPECT_TRUE(std::isnan(float16_value(0xfe00)));
}

}  // namespace
}  // namespace fer
