#include "learn/data/prefetcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "error_of.h"

namespace fer {
namespace {

using std::chrono_literals::operator""ms;

TEST(Prefetcher, GivesInOrderWhatManyMakeAtOnce) {
  std::atomic<int> at_once = 0, max = 0;
  int drawn = 0;
  const auto drawer = std::this_thread::get_id();
  Prefetcher<int> ahead;
  ahead.start(4, [&]() -> std::function<int()> {
    EXPECT_EQ(std::this_thread::get_id(), drawer);
    if (drawn == 12) return {};
    return [&, number = drawn++] {
      const int now = ++at_once;
      for (int seen = max; seen < now && !max.compare_exchange_weak(seen, now);) {
      }
      // The earlier ones take longer, so that they are not done in order.
      std::this_thread::sleep_for(number % 4 == 0 ? 40ms : 5ms);
      --at_once;
      return number;
    };
  });
  for (int i = 0; i < 12; ++i) {
    ASSERT_FALSE(ahead.empty());
    EXPECT_EQ(ahead.next(), i);
  }
  EXPECT_TRUE(ahead.empty());
  EXPECT_EQ(drawn, 12);
  EXPECT_GT(max, 1);
  EXPECT_LE(max, 4);
}

TEST(Prefetcher, IsEmptyWhereNothingIsDrawn) {
  Prefetcher<int> ahead;
  ahead.start(2, [] { return std::function<int()>(); });
  EXPECT_TRUE(ahead.empty());
}

TEST(Prefetcher, HandsOnWhatWentWrong) {
  Prefetcher<int> ahead;
  ahead.start(1, []() -> std::function<int()> {
    return []() -> int { throw std::runtime_error("no such face"); };
  });
  EXPECT_EQ(test::error_of([&] { ahead.next(); }), "no such face");
}

TEST(Prefetcher, WaitsForWhatNobodyTook) {
  std::atomic<int> done = 0;
  {
    Prefetcher<int> ahead;
    ahead.start(3, [&]() -> std::function<int()> {
      return [&] {
        std::this_thread::sleep_for(20ms);
        return ++done;
      };
    });
  }
  EXPECT_EQ(done, 3);
}

}  // namespace
}  // namespace fer
