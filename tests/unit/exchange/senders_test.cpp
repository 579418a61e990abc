#include "exchange/senders.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

TEST(Senders, TakesEachMessageOnce) {
  Senders senders;
  EXPECT_TRUE(senders.take("one", "s", 0));
  EXPECT_TRUE(senders.take("one", "s", 1));
  EXPECT_FALSE(senders.take("one", "s", 1));
  EXPECT_TRUE(senders.take("two", "s", 1));
  EXPECT_EQ(senders.all()["one"].received, 2u);
  EXPECT_EQ(senders.all()["one"].duplicates, 1u);
}

TEST(Senders, CountsWhatNeverCame) {
  Senders senders;
  for (const std::uint64_t number : {10, 11, 15}) senders.take("one", "s", number);
  EXPECT_EQ(senders.all()["one"].missing, 3u);
  senders.take("one", "s", 13);  // Late.
  EXPECT_EQ(senders.all()["one"].missing, 2u);
}

TEST(Senders, ARestartedCollectorBeginsAnewAndKeepsItsCounts) {
  Senders senders;
  senders.take("one", "s", 100);
  EXPECT_TRUE(senders.take("one", "t", 0));
  EXPECT_TRUE(senders.take("one", "t", 1));
  EXPECT_EQ(senders.all()["one"].received, 3u);
  EXPECT_EQ(senders.all()["one"].missing, 0u);
}

TEST(Senders, DoesNotGrowWithoutEnd) {
  Senders senders;
  for (std::uint64_t i = 0; i < 20000; ++i) senders.take(std::to_string(i), "s", 0);
  EXPECT_LE(senders.size(), 10000u);
  for (std::uint64_t i = 0; i < 20000; ++i) EXPECT_TRUE(senders.take("one", "s", i));
  EXPECT_FALSE(senders.take("one", "s", 0)) << "of long ago";
}

}  // namespace
}  // namespace fer
