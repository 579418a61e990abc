#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/learn/policies/negatives/negatives_test.h"

namespace fer {
namespace {

using test::chosen;
using test::Rows;

TEST(FullMatch, LeavesOutAsManyAsTheViewsNeedToAgree) {
  // In the second row the strong view prefers two classes to the teacher's: k = 3, for all rows.
  EXPECT_EQ(chosen("fullmatch", test::three_rows()), (Rows{{3}, {3}, {0}}));
}

TEST(FullMatch, LeavesOutTwoWhereTheViewsAgree) {
  NegativeStep step = test::three_rows();
  step.student = step.teacher;
  EXPECT_EQ(chosen("fullmatch", step), (Rows{{2, 3}, {2, 3}, {0, 3}}));
}

TEST(FullMatch, SelectsNothingWhereTheViewsAreOpposed) {
  NegativeStep step = test::three_rows();
  step.student = 1 - step.teacher;
  EXPECT_EQ(chosen("fullmatch", step), (Rows{{}, {}, {}}));
}

TEST(FullMatch, TakesNoRows) {
  const NegativeStep empty{torch::empty({0, 4}), torch::empty({0, 4}),
                           torch::empty({0}, torch::kBool)};
  EXPECT_EQ(chosen("fullmatch", empty), Rows{});
}

}  // namespace
}  // namespace fer
