#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/learn/policies/negatives/negatives_test.h"

namespace fer {
namespace {

using test::chosen;
using test::Rows;

TEST(None, SelectsNothing) {
  EXPECT_EQ(chosen("none", test::three_rows()), (Rows{{}, {}, {}}));
}

}  // namespace
}  // namespace fer
