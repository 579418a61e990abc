#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/learn/policies/negatives/negatives_test.h"

namespace fer {
namespace {

using test::chosen;
using test::Rows;

TEST(Lowest, SelectsTheLeastLikely) {
  EXPECT_EQ(chosen("lowest:n=2", test::three_rows()), (Rows{{}, {2, 3}, {0, 3}}));
  EXPECT_EQ(chosen("lowest", test::three_rows()), (Rows{{}, {1, 2, 3}, {0, 2, 3}}));
}

TEST(Lowest, SelectsNothingWhereAllAreEqual) {
  NegativeStep step = test::three_rows();
  step.teacher = torch::full({3, 4}, 0.25);
  EXPECT_EQ(chosen("lowest:n=2", step), (Rows{{}, {}, {}}));
}

}  // namespace
}  // namespace fer
