#include "watch/frame_queue.h"

#include <gtest/gtest.h>

#include <thread>

#include "training/watch/watch_faces.h"

namespace fer {
namespace {

using test::watched_frame;

constexpr std::chrono::milliseconds kAtOnce{0}, kLong{10000};
constexpr std::size_t kFrames = 1000;

TEST(FrameQueue, OfACameraDropsTheOldestAndCountsIt) {
  FrameQueue queue(/*waits=*/false);
  for (std::size_t i = 0; i < kFrames; ++i) queue.push(watched_frame(i, {}));
  std::size_t first = kFrames, taken = 0, last = 0;
  while (const auto frame = queue.pop(kAtOnce)) {
    first = std::min(first, frame->number);
    last = frame->number;
    ++taken;
  }
  EXPECT_EQ(taken + queue.dropped(), kFrames);
  EXPECT_EQ(first, queue.dropped());
  EXPECT_EQ(last, kFrames - 1);
  EXPECT_GT(queue.dropped(), 0u);
}

TEST(FrameQueue, OfAFileWaitsAndLosesNothing) {
  FrameQueue queue(/*waits=*/true);
  std::thread stream([&] {
    for (std::size_t i = 0; i < kFrames; ++i) queue.push(watched_frame(i, {}));
  });
  for (std::size_t i = 0; i < kFrames; ++i) {
    const auto frame = queue.pop(kLong);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->number, i);
  }
  stream.join();
  EXPECT_EQ(queue.dropped(), 0u);
}

TEST(FrameQueue, LetsAWaitingStreamGoWhenItIsClosed) {
  FrameQueue queue(/*waits=*/true);
  std::thread stream([&] {
    for (std::size_t i = 0; i < kFrames; ++i) queue.push(watched_frame(i, {}));
  });
  ASSERT_TRUE(queue.pop(kLong));
  queue.close();
  stream.join();
}

}  // namespace
}  // namespace fer
