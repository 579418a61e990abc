#include "stream/class_balance_cap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace fer {
namespace {

int admitted(const std::vector<bool>& rows) {
  return static_cast<int>(std::count(rows.begin(), rows.end(), true));
}

TEST(ClassBalanceCap, LetsNoClassHaveMoreThanItsShare) {
  ClassBalanceCap cap(4, /*most=*/0.5, /*allowance=*/1);
  // Ten of one class, four of two others: at most as many of the one as of all others together.
  std::vector<int> labels(10, 0);
  labels.insert(labels.end(), {1, 1, 2, 2});
  const std::vector<bool> rows = cap.admit(labels, std::vector<float>(14, 0.9f));
  EXPECT_EQ(admitted({rows.begin(), rows.begin() + 10}), 4);
  EXPECT_EQ(admitted({rows.begin() + 10, rows.end()}), 4);
}

TEST(ClassBalanceCap, PrefersTheMostConfident) {
  ClassBalanceCap cap(2, 0.5, 2);
  const std::vector<bool> rows = cap.admit({0, 0, 0, 0}, {0.7f, 0.9f, 0.6f, 0.8f});
  EXPECT_EQ(rows, (std::vector<bool>{false, true, false, true}));
}

TEST(ClassBalanceCap, StarvesAClassThatIsAllThereIs) {
  ClassBalanceCap cap(4, 0.34, 4);
  int all = 0;
  for (int step = 0; step < 200; ++step)
    all += admitted(cap.admit(std::vector<int>(16, 2), std::vector<float>(16, 1.f)));
  // What fades may come anew, and no more: of 3200 rows.
  EXPECT_GE(all, 4);
  EXPECT_LE(all, 16);
}

TEST(ClassBalanceCap, LetsAnEvenMixPass) {
  ClassBalanceCap cap(4, 0.34, 2);
  for (int step = 0; step < 20; ++step)
    EXPECT_EQ(admitted(cap.admit({0, 1, 2, 3, 0, 1, 2, 3}, std::vector<float>(8, 0.9f))), 8);
}

TEST(ClassBalanceCap, CountsRowsThatAreNotAcceptedForNothing) {
  ClassBalanceCap cap(2, 1, 1);
  EXPECT_EQ(admitted(cap.admit({-1, -1, 0}, {1, 1, 1})), 1);
  EXPECT_THAT(cap.counts(), testing::ElementsAre(1, 0));
}

TEST(ClassBalanceCap, GoesOnFromItsCounts) {
  ClassBalanceCap one(3, 0.4, 2), other(3, 0.4, 2);
  one.admit({0, 0, 1, 2, 2}, std::vector<float>(5, 0.9f));
  other.restore(one.counts());
  EXPECT_EQ(one.admit({0, 0, 0, 1}, {1, 1, 1, 1}), other.admit({0, 0, 0, 1}, {1, 1, 1, 1}));
  EXPECT_EQ(one.counts(), other.counts());
}

}  // namespace
}  // namespace fer
