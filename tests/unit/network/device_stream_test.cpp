#include "network/device_stream.h"

#include <gtest/gtest.h>

#include <vector>

namespace fer {
namespace {

c10::Stream stream(c10::StreamId id) {
  return c10::Stream(c10::Stream::UNSAFE, torch::Device(torch::kCUDA, 0), id);
}

/// Hands out `count` streams in turn, as LibTorch does.
std::function<c10::Stream()> in_turn(c10::StreamId count) {
  return [count, given = c10::StreamId{0}]() mutable { return stream(given++ % count); };
}

TEST(TakenStreams, NobodyIsGivenWhatAnotherHas) {
  TakenStreams taken;
  const auto next = in_turn(3);
  EXPECT_EQ(taken.take(next, 3), stream(0));
  EXPECT_EQ(taken.take(next, 3), stream(1));
  EXPECT_EQ(taken.take(next, 3), stream(2));
  EXPECT_EQ(taken.take(next, 3), std::nullopt);
}

TEST(TakenStreams, WhatIsGivenBackIsGivenAgain) {
  TakenStreams taken;
  const auto next = in_turn(3);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(taken.take(next, 3));
  taken.give_back(stream(1));
  EXPECT_EQ(taken.take(next, 3), stream(1));
  EXPECT_EQ(taken.take(next, 3), std::nullopt);
}

TEST(DeviceStream, IsNothingOnTheProcessor) {
  const DeviceStream none(torch::kCPU, Urgency::kServing);
  EXPECT_FALSE(none.own());
  const DeviceStream::Scope scope(none);
}

}  // namespace
}  // namespace fer
