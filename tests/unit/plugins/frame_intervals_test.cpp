#include "frame-intervals.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

constexpr GstClockTime kFrame = GST_SECOND / 25;

TEST(FrameIntervals, CountsLostFramesByTheCaps) {
  FrameIntervals intervals;
  intervals.expect(kFrame);
  EXPECT_EQ(intervals.lost_before(0, false), 0);
  EXPECT_EQ(intervals.lost_before(kFrame, false), 0);
  EXPECT_EQ(intervals.lost_before(5 * kFrame, false), 3);
}

TEST(FrameIntervals, BelievesTheStepsRatherThanTheCaps) {
  FrameIntervals intervals;
  intervals.expect(kFrame);
  for (guint64 i = 0; i < 4; ++i) intervals.lost_before(i * 2 * GST_SECOND, false);
  EXPECT_DOUBLE_EQ(intervals.frame_rate(), 0.5);
  EXPECT_EQ(intervals.lost_before(8 * GST_SECOND, false), 0);
  EXPECT_EQ(intervals.lost_before(12 * GST_SECOND, false), 1);
}

TEST(FrameIntervals, MeasuresStreamsWithoutARate) {
  FrameIntervals intervals;
  EXPECT_EQ(intervals.frame_rate(), 0);
  for (guint64 i = 0; i < 5; ++i) EXPECT_EQ(intervals.lost_before(i * kFrame, false), 0);
  EXPECT_DOUBLE_EQ(intervals.frame_rate(), 25);
}

TEST(FrameIntervals, SmallStepsBackAreJitter) {
  FrameIntervals intervals;
  intervals.expect(kFrame);
  const int jitter[] = {0, 2, 1, 4, 3, 5, 4, 7};  // Frames, as they arrive.
  for (const int frame : jitter) {
    const auto lost = intervals.lost_before(static_cast<guint64>(frame) * kFrame, false);
    ASSERT_TRUE(lost) << frame;
    EXPECT_LE(*lost, 2) << frame;
  }
}

TEST(FrameIntervals, LargeStepsBackAreJumps) {
  FrameIntervals intervals;
  intervals.expect(kFrame);
  intervals.lost_before(100 * GST_SECOND, false);
  EXPECT_EQ(intervals.lost_before(10 * GST_SECOND, false), std::nullopt);
  EXPECT_EQ(intervals.lost_before(10 * GST_SECOND + kFrame, false), 0);
}

TEST(FrameIntervals, TimeRunsBackInBackwardPlayback) {
  FrameIntervals intervals;
  intervals.expect(kFrame);
  intervals.lost_before(GST_SECOND, true);
  EXPECT_EQ(intervals.lost_before(GST_SECOND - kFrame, true), 0);
  EXPECT_EQ(intervals.lost_before(GST_SECOND - 4 * kFrame, true), 2);
}

TEST(FrameIntervals, FramesWithoutTimesContinue) {
  FrameIntervals intervals;
  intervals.expect(kFrame);
  intervals.lost_before(0, false);
  EXPECT_EQ(intervals.lost_before(GST_CLOCK_TIME_NONE, false), 0);
  EXPECT_EQ(intervals.lost_before(kFrame, false), 0);
}

}  // namespace
}  // namespace fer
