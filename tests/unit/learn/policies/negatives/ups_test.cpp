#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/learn/policies/negatives/negatives_test.h"

namespace fer {
namespace {

using test::chosen;
using test::Rows;

TEST(Ups, SelectsWhatIsUnlikelyInRowsThatAreNotAccepted) {
  // 0.05 itself is not below 0.05.
  EXPECT_EQ(chosen("ups", test::three_rows()), (Rows{{}, {3}, {0, 3}}));
  EXPECT_EQ(chosen("ups:tau=0.2", test::three_rows()), (Rows{{}, {2, 3}, {0, 2, 3}}));
}

TEST(Ups, NeverSelectsTheLikeliest) {
  EXPECT_EQ(chosen("ups:tau=1", test::three_rows()), (Rows{{}, {1, 2, 3}, {0, 2, 3}}));
}

}  // namespace
}  // namespace fer
