#include "util/wilson_lower_bound.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

TEST(WilsonLowerBound, IsThatOfTheTextbook) {
  // 8 of 10 at z = 1.96: (0.8 + 0.19208 − 1.96 √(0.016 + 0.0096040)) / 1.38416 = 0.4902.
  EXPECT_NEAR(wilson_lower_bound(8, 10, 1.96), 0.4902, 1e-4);
  EXPECT_NEAR(wilson_lower_bound(10, 10, 1), 10.0 / 11, 1e-12);
  EXPECT_EQ(wilson_lower_bound(0, 0, 1), 0);
  EXPECT_EQ(wilson_lower_bound(3, 4, 0), 0.75);
}

}  // namespace
}  // namespace fer
