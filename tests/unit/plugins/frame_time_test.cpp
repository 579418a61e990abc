#include "frame-time.h"

#include <gtest/gtest.h>

#include "element_test.h"

namespace fer {
namespace {

using test::BufferPtr;
using test::CapsPtr;

/// 2026-11-30T13:41:05.25Z.
constexpr std::int64_t kUnix = 1796046065'250'000'000;

BufferPtr told(const char* caps, std::int64_t time) {
  BufferPtr buffer(gst_buffer_new());
  const CapsPtr reference(gst_caps_from_string(caps));
  gst_buffer_add_reference_timestamp_meta(buffer.get(), reference.get(),
                                          static_cast<GstClockTime>(time), GST_CLOCK_TIME_NONE);
  return buffer;
}

TEST(FrameTime, IsTheCamerasWhereItTells) {
  const std::int64_t second = GST_SECOND;
  for (const auto& [caps, ahead] : std::vector<std::pair<const char*, std::int64_t>>{
           {"timestamp/x-unix", 0},
           {"timestamp/x-ntp,host=pool", 2208988800 * second},
           {"timestamp/x-ptp,version=IEEE1588-2008,domain=0", 37 * second}}) {
    const FrameTime time = frame_time(told(caps, kUnix + ahead).get());
    EXPECT_TRUE(time.of_camera) << caps;
    EXPECT_EQ(time.unix_ns, kUnix) << caps;
  }
}

TEST(FrameTime, IsNowWhereNobodyTells) {
  const BufferPtr silent(gst_buffer_new());
  const BufferPtr foreign = told("timestamp/x-somebodys-stream-time", 5);
  for (GstBuffer* buffer : {silent.get(), foreign.get()}) {
    const gint64 before = g_get_real_time();
    const FrameTime time = frame_time(buffer);
    EXPECT_FALSE(time.of_camera);
    EXPECT_GE(time.unix_ns, before * 1000);
    EXPECT_LE(time.unix_ns, g_get_real_time() * 1000);
  }
}

}  // namespace
}  // namespace fer
