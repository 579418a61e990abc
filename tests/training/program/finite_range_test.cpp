#include "program/finite_range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fer {
namespace {

using testing::HasSubstr;

TEST(FiniteRange, TakesNumbersOfTheRangeAndNothingElse) {
  const CLI::Validator range = finite_range(0, 1);
  for (const char* text : {"0", "1", "0.25", "1e-3"})
    EXPECT_EQ(range(std::string(text)), "") << text;
  for (const char* text : {"nan", "-nan", "inf", "-1", "1.001", "1e300", "many", ""})
    EXPECT_THAT(range(std::string(text)), HasSubstr("not in range 0 to 1")) << text;
}

TEST(SeedRange, TakesWholeNumbersThatFit) {
  const CLI::Validator range = seed_range();
  for (const char* text : {"0", "7", "18446744073709551615"})
    EXPECT_EQ(range(std::string(text)), "") << text;
  for (const char* text : {"-1", "18446744073709551616", "99999999999999999999", "1.5", "x", ""})
    EXPECT_THAT(range(std::string(text)), HasSubstr("0 to 18446744073709551615")) << text;
}

}  // namespace
}  // namespace fer
