#include "video-frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/drawn_face.h"
#include "element_test.h"

namespace fer {
namespace {

using namespace test;

/// The caps string, the table of formats and the library's list agree.
TEST(PixelFormats, AreThoseOfTheCaps) {
  const CapsPtr caps(gst_caps_from_string(FER_VIDEO_CAPS));
  ASSERT_TRUE(caps);
  // In the processor's memory; those in a device's come before.
  const guint last = gst_caps_get_size(caps.get()) - 1;
  const GValue* formats =
      gst_structure_get_value(gst_caps_get_structure(caps.get(), last), "format");
  std::vector<std::string> names;
  for (guint i = 0; i < gst_value_list_get_size(formats); ++i) {
    names.emplace_back(g_value_get_string(gst_value_list_get_value(formats, i)));
    EXPECT_TRUE(pixel_format(gst_video_format_from_string(names.back().c_str()))) << names.back();
  }
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(video_formats()));
}

TEST(PixelFormats, OthersAreUnknown) {
  EXPECT_EQ(pixel_format(GST_VIDEO_FORMAT_AYUV64), std::nullopt);
  EXPECT_EQ(pixel_format(GST_VIDEO_FORMAT_UNKNOWN), std::nullopt);
}

class EveryLayout : public testing::TestWithParam<std::string> {};

TEST_P(EveryLayout, IsViewedAsItLies) {
  const cv::Mat picture = draw_face({37, 23});
  const GstVideoInfo info = video_info(GetParam(), 37, 23);
  const BufferPtr packed = make_frame(picture, GetParam(), Layout::kPacked);
  const BufferPtr padded = make_frame(picture, GetParam(), Layout::kPadded);
  const MappedFrame packed_map(info, packed.get(), GST_MAP_READ);
  const MappedFrame padded_map(info, padded.get(), GST_MAP_READ);
  ASSERT_TRUE(packed_map);
  ASSERT_TRUE(padded_map);
  const FrameView a = packed_map.view(), b = padded_map.view();
  EXPECT_EQ(a.width, 37);
  EXPECT_EQ(a.height, 23);
  EXPECT_EQ(a.format, b.format);
  EXPECT_EQ(a.full_range, b.full_range);
  for (int plane = 0; plane < 3; ++plane) {
    const bool there = plane < static_cast<int>(GST_VIDEO_INFO_N_PLANES(&info));
    EXPECT_EQ(a.data[plane] != nullptr, there);
    EXPECT_EQ(b.data[plane] != nullptr, there);
    if (!there) continue;
    EXPECT_NE(a.stride[plane], b.stride[plane]);
    const int rows = plane == 0 ? 23 : 12, bytes = plane == 0 ? 37 : 19;  // at least
    for (int y = 0; y < rows; ++y) {
      EXPECT_EQ(std::vector<std::uint8_t>(a.data[plane] + y * a.stride[plane],
                                          a.data[plane] + y * a.stride[plane] + bytes),
                std::vector<std::uint8_t>(b.data[plane] + y * b.stride[plane],
                                          b.data[plane] + y * b.stride[plane] + bytes));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryLayout, testing::ValuesIn(video_formats()),
                         [](const auto& info) { return info.param; });

TEST(FrameView, KnowsTheRange) {
  const auto full_range = [](const std::string& caps_text) {
    const CapsPtr caps(gst_caps_from_string(caps_text.c_str()));
    GstVideoInfo info;
    EXPECT_TRUE(gst_video_info_from_caps(&info, caps.get()));
    const BufferPtr buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
    return MappedFrame(info, buffer.get(), GST_MAP_READ).view().full_range;
  };
  EXPECT_FALSE(full_range(video_caps("NV12", 16, 16)));
  EXPECT_FALSE(full_range(video_caps("I420", 16, 16) + ",colorimetry=bt709"));
  EXPECT_TRUE(full_range(video_caps("I420", 16, 16) + ",colorimetry=(string)1:4:0:0"));
  EXPECT_TRUE(full_range(video_caps("GRAY8", 16, 16)));
  EXPECT_TRUE(full_range(video_caps("RGB", 16, 16)));
}

TEST(MappedFrame, SaysThatABufferIsTooSmall) {
  const GstVideoInfo info = video_info("RGB", 64, 48);
  const BufferPtr buffer(gst_buffer_new_allocate(nullptr, 100, nullptr));
  EXPECT_FALSE(MappedFrame(info, buffer.get(), GST_MAP_READ));
}

TEST(MappedFrame, LeavesTheBufferWritable) {
  const GstVideoInfo info = video_info("RGB", 64, 48);
  const BufferPtr buffer = make_frame(drawn_background({64, 48}), "RGB");
  const MappedFrame mapped(info, buffer.get(), GST_MAP_READ);
  ASSERT_TRUE(mapped);
  EXPECT_TRUE(gst_buffer_is_writable(buffer.get()));
}

}  // namespace
}  // namespace fer
