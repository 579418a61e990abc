#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/learn/policies/negatives/negatives_test.h"

namespace fer {
namespace {

using test::chosen;
using test::Rows;

TEST(Snl, LeavesOutThePlausibleAndWhatTheStudentHasDoneWith) {
  // Second row: only class 3 holds less than 0.1 (with 2 it is 0.2), and the student gives it less
  // than 0.01. Third row: 0.02 + 0.03 + 0.05 = 0.1 hold all but the likeliest; 3 is done with.
  EXPECT_EQ(chosen("snl", test::three_rows()), (Rows{{}, {}, {0, 2}}));
}

TEST(Snl, SelectsMoreTheSurerTheTeacherIs) {
  EXPECT_EQ(chosen("snl:floor=0", test::three_rows()), (Rows{{}, {3}, {0, 2, 3}}));
  EXPECT_EQ(chosen("snl:floor=0,mass=0.05", test::three_rows()), (Rows{{}, {3}, {0, 3}}));
  EXPECT_EQ(chosen("snl:floor=0,mass=0.01", test::three_rows()), (Rows{{}, {}, {}}));
}

TEST(Snl, NeverSelectsTheLikeliest) {
  EXPECT_EQ(chosen("snl:floor=0,mass=1", test::three_rows()), (Rows{{}, {1, 2, 3}, {0, 2, 3}}));
}

}  // namespace
}  // namespace fer
