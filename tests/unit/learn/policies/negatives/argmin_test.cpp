#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/learn/policies/negatives/negatives_test.h"

namespace fer {
namespace {

using test::chosen;
using test::Rows;

TEST(Argmin, SelectsTheLeastLikelyAlone) {
  EXPECT_EQ(chosen("argmin", test::three_rows()), (Rows{{}, {3}, {0}}));
}

}  // namespace
}  // namespace fer
