#include "overlay-frame-canvas.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <random>

#include "element_test.h"
#include "overlay-shape-canvas.h"
#include "video-frame.h"

namespace fer {
namespace {

using namespace test;

struct Size {
  int width, height;
};
constexpr Size kSizes[] = {{1, 1}, {2, 2}, {1, 5}, {7, 1}, {16, 12}, {17, 13}, {33, 8}};

/// A frame of noise. Its buffer is the test's own, so that it can be mapped for writing in place.
BufferPtr noise_frame(const std::string& format, Size size, Layout layout) {
  cv::Mat picture(size.height, size.width, CV_8UC3);
  cv::randu(picture, 0, 256);
  return make_frame(picture, format, layout);
}

/// Where one component of a mapped frame lies at a sample. Not by GST_VIDEO_FRAME_COMP_DATA, which
/// is a byte off for P010's V in GStreamer 1.22.
std::uint8_t* place(const GstVideoFrame& frame, guint component, int x, int y) {
  const GstVideoFormatInfo& format = *frame.info.finfo;
  const int plane = GST_VIDEO_FORMAT_INFO_PLANE(&format, component);
  return static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, plane)) +
         component_offset(format, component) + y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, component) +
         x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, component);
}

/// What it holds there, of 16 bits where it is deeper than 8.
int sample(const GstVideoFrame& frame, guint component, int x, int y) {
  const std::uint8_t* at = place(frame, component, x, y);
  return GST_VIDEO_FRAME_COMP_DEPTH(&frame, component) > 8 ? at[0] | (at[1] << 8) : at[0];
}

/// A grey level of 8 bits as the format's components hold it.
int level(const GstVideoInfo& info) {
  return 1 << (GST_VIDEO_FORMAT_INFO_DEPTH(info.finfo, 0) - 8 +
               GST_VIDEO_FORMAT_INFO_SHIFT(info.finfo, 0));
}

/// The value of each component that a colour filling a whole pixel of an opaque frame leaves there.
std::vector<int> filled(const std::string& caps, Argb colour) {
  const CapsPtr parsed(gst_caps_from_string(caps.c_str()));
  GstVideoInfo info;
  EXPECT_TRUE(gst_video_info_from_caps(&info, parsed.get())) << caps;
  const BufferPtr buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  gst_buffer_memset(buffer.get(), 0, 99, GST_VIDEO_INFO_SIZE(&info));
  MappedFrame mapped(info, buffer.get(), GST_MAP_READWRITE);
  FrameCanvas(mapped.frame()).fill({0, 0, 2, 2}, colour);
  std::vector<int> values;
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS(&mapped.frame()); ++i) {
    values.push_back(sample(mapped.frame(), i, 0, 0));
  }
  return values;
}

std::string caps_of(const std::string& format, const std::string& colorimetry) {
  return video_caps(format, 2, 2) + ",colorimetry=" + colorimetry;
}

TEST(Canvas, KnowsTheFramesColorimetry) {
  using Values = std::vector<int>;
  constexpr Argb kRed = 0xffff0000, kWhite = 0xffffffff, kBlack = 0xff000000;
  for (const std::string format : {"NV12", "I420"}) {
    EXPECT_EQ(filled(caps_of(format, "bt601"), kRed), (Values{81, 90, 240}));
    EXPECT_EQ(filled(caps_of(format, "bt709"), kRed), (Values{63, 102, 240}));
    EXPECT_EQ(filled(caps_of(format, "1:4:5:1"), kRed), (Values{76, 85, 255})) << "full range";
    EXPECT_EQ(filled(caps_of(format, "bt709"), kWhite), (Values{235, 128, 128}));
    EXPECT_EQ(filled(caps_of(format, "bt601"), kBlack), (Values{16, 128, 128}));
    EXPECT_EQ(filled(caps_of(format, "1:4:5:1"), kWhite), (Values{255, 128, 128}));
  }
  EXPECT_EQ(filled(video_caps("GRAY8", 2, 2), kWhite), (Values{255}));
  EXPECT_EQ(filled(video_caps("GRAY8", 2, 2), kRed), (Values{76}));
  EXPECT_EQ(filled(video_caps("RGB", 2, 2), 0xff123456), (Values{0x12, 0x34, 0x56}));
  EXPECT_EQ(filled(video_caps("xBGR", 2, 2), 0xff123456), (Values{0x12, 0x34, 0x56}));
}

TEST(Canvas, DrawsOverTransparentPixels) {
  for (const std::string format : {"RGBA", "BGRA", "ARGB", "ABGR"}) {
    const GstVideoInfo info = video_info(format, 2, 1);
    const BufferPtr buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
    gst_buffer_memset(buffer.get(), 0, 0, GST_VIDEO_INFO_SIZE(&info));
    MappedFrame mapped(info, buffer.get(), GST_MAP_READWRITE);
    FrameCanvas canvas(mapped.frame());
    canvas.fill({0, 0, 1, 1}, 0x80ff8000);
    const auto values = [&](int x) {
      std::vector<int> all;
      for (guint i = 0; i < 4; ++i) all.push_back(sample(mapped.frame(), i, x, 0));
      return all;
    };
    EXPECT_EQ(values(0), (std::vector<int>{255, 128, 0, 128})) << format;
    canvas.fill({0, 0, 1, 1}, 0xff0000ff);
    EXPECT_EQ(values(0), (std::vector<int>{0, 0, 255, 255})) << format;
    EXPECT_EQ(values(1), (std::vector<int>{0, 0, 0, 0})) << format;
  }
}

/// What blending should give, in floating point, sample by sample.
class CanvasFormats : public testing::TestWithParam<std::string> {};

TEST_P(CanvasFormats, BlendsByCoverageAndTouchesNothingElse) {
  std::mt19937 random(7);
  const auto between = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (const Size size : kSizes) {
    for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
      for (int round = 0; round < 12; ++round) {
        const GstVideoInfo info = video_info(GetParam(), size.width, size.height);
        const BufferPtr before = noise_frame(GetParam(), size, layout);
        const BufferPtr after(gst_buffer_copy_deep(before.get()));
        const int width = between(1, 12), height = between(1, 12);
        const int x = between(-width, size.width), y = between(-height, size.height);
        const Argb colour = (static_cast<Argb>(round % 3 == 0 ? 255 : between(0, 255)) << 24) |
                            static_cast<Argb>(between(0, 0xffffff));
        std::vector<std::uint8_t> shape(static_cast<std::size_t>(width * height));
        for (std::uint8_t& value : shape) {
          value = static_cast<std::uint8_t>(between(0, 2) * 127 + between(0, 1));
        }
        const Coverage coverage{shape.data(), width, width, height};
        const auto covered = [&](int px, int py) {  // of the frame's pixel, 0 to 1
          if (px < x || px >= x + width || py < y || py >= y + height) return 0.;
          return shape[static_cast<std::size_t>((py - y) * width + px - x)] / 255.;
        };

        std::vector<int> wanted;  // what the colour alone looks like in this format
        {
          const BufferPtr solid = noise_frame(GetParam(), size, Layout::kPacked);
          MappedFrame mapped(info, solid.get(), GST_MAP_READWRITE);
          FrameCanvas(mapped.frame()).fill({0, 0, size.width, size.height}, colour | 0xff000000);
          for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS(&info); ++i) {
            wanted.push_back(sample(mapped.frame(), i, 0, 0));
          }
        }
        MappedFrame was(info, before.get(), GST_MAP_READ);
        MappedFrame is(info, after.get(), GST_MAP_READWRITE);
        ASSERT_TRUE(was && is);
        FrameCanvas(is.frame()).blend(coverage, x, y, colour);

        const bool has_alpha = GST_VIDEO_INFO_HAS_ALPHA(&info);
        for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS(&info); ++i) {
          const int across = 1 << GST_VIDEO_FORMAT_INFO_W_SUB(info.finfo, i);
          const int down = 1 << GST_VIDEO_FORMAT_INFO_H_SUB(info.finfo, i);
          for (int sy = 0; sy < GST_VIDEO_INFO_COMP_HEIGHT(&info, i); ++sy) {
            for (int sx = 0; sx < GST_VIDEO_INFO_COMP_WIDTH(&info, i); ++sx) {
              double sum = 0;
              int pixels = 0;
              for (int py = sy * down; py < std::min(sy * down + down, size.height); ++py) {
                for (int px = sx * across; px < std::min(sx * across + across, size.width); ++px) {
                  sum += covered(px, py);
                  ++pixels;
                }
              }
              const double alpha = sum / pixels * (colour >> 24) / 255.;
              const double old = sample(was.frame(), i, sx, sy);
              double result = old + (wanted[i] - old) * alpha, tolerance = 1.01 * level(info);
              if (has_alpha) {
                const double below = sample(was.frame(), GST_VIDEO_COMP_A, sx, sy) / 255.;
                const double both = alpha + below * (1 - alpha);
                result = i == GST_VIDEO_COMP_A ? both * 255
                         : both > 0 ? (wanted[i] * alpha + old * below * (1 - alpha)) / both
                                    : old;
                // A thin layer has its alpha, and so its colour, in few steps only.
                if (both > 0) tolerance = 1.5 + 0.75 / both;
              }
              const int now = sample(is.frame(), i, sx, sy);
              if (alpha == 0) {
                ASSERT_EQ(now, old) << i << " at " << sx << ", " << sy;
              } else {
                ASSERT_NEAR(now, result, tolerance)
                    << "component " << i << " at " << sx << ", " << sy << " of " << size.width
                    << "x" << size.height;
              }
            }
          }
        }
      }
    }
  }
}

class DeviceCanvasFormats : public CanvasFormats {};

TEST_P(DeviceCanvasFormats, ShapesThatAreGatheredAreDrawnTheSame) {
  std::mt19937 random(11);
  const auto between = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (const Size size : kSizes) {
    const GstVideoInfo info = video_info(GetParam(), size.width, size.height);
    const BufferPtr at_once = noise_frame(GetParam(), size, Layout::kPadded);
    const BufferPtr gathered(gst_buffer_copy_deep(at_once.get()));
    {
      MappedFrame first(info, at_once.get(), GST_MAP_READWRITE);
      MappedFrame second(info, gathered.get(), GST_MAP_READWRITE);
      ASSERT_TRUE(first && second);
      FrameCanvas frame(first.frame());
      ShapeCanvas shapes(second.frame());
      EXPECT_EQ(shapes.shapes().count, 0);
      for (int i = 0; i < 12; ++i) {
        const int width = between(1, 12), height = between(1, 12);
        const int x = between(-width, size.width), y = between(-height, size.height);
        const auto colour = static_cast<Argb>(random());
        std::vector<std::uint8_t> covered(static_cast<std::size_t>(width * height));
        for (std::uint8_t& value : covered) value = static_cast<std::uint8_t>(between(0, 255));
        for (Canvas* canvas : {static_cast<Canvas*>(&frame), static_cast<Canvas*>(&shapes)}) {
          if (i % 3 == 0) {
            canvas->fill({x, y, width, height}, colour);
          } else {
            canvas->blend({covered.data(), width, width, height}, x, y, colour);
          }
        }
      }
      kernels::blend_shapes(shapes.shapes());
    }
    EXPECT_EQ(bytes_of(at_once.get()), bytes_of(gathered.get()))
        << size.width << "x" << size.height;
  }
}

TEST_P(CanvasFormats, LeavesPaddingAndTheUnusedByte) {
  const Size size{13, 7};
  const GstVideoInfo info = video_info(GetParam(), size.width, size.height);
  const BufferPtr before = noise_frame(GetParam(), size, Layout::kPadded);
  const BufferPtr after(gst_buffer_copy_deep(before.get()));
  {
    MappedFrame mapped(info, after.get(), GST_MAP_READWRITE);
    FrameCanvas canvas(mapped.frame());
    canvas.fill({-5, -5, 100, 100}, 0xff336699);
  }
  // Put the samples back: what differs then was none.
  MappedFrame was(info, before.get(), GST_MAP_READ), is(info, after.get(), GST_MAP_READWRITE);
  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS(&info); ++i) {
    for (int y = 0; y < GST_VIDEO_INFO_COMP_HEIGHT(&info, i); ++y) {
      for (int x = 0; x < GST_VIDEO_INFO_COMP_WIDTH(&info, i); ++x) {
        std::uint8_t* at = place(is.frame(), i, x, y);
        const int value = sample(was.frame(), i, x, y);
        at[0] = static_cast<std::uint8_t>(value);
        if (level(info) > 1) at[1] = static_cast<std::uint8_t>(value >> 8);
      }
    }
  }
  EXPECT_EQ(bytes_of(after.get()), bytes_of(before.get()));
}

INSTANTIATE_TEST_SUITE_P(Formats, CanvasFormats, testing::ValuesIn(video_formats()),
                         [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(Formats, DeviceCanvasFormats, testing::ValuesIn(device_formats()),
                         [](const auto& info) { return info.param; });

TEST(Canvas, IgnoresShapesOutsideAndEmptyOnes) {
  const GstVideoInfo info = video_info("I420", 9, 9);
  const BufferPtr buffer = noise_frame("I420", {9, 9}, Layout::kPacked);
  const auto before = bytes_of(buffer.get());
  {
    MappedFrame mapped(info, buffer.get(), GST_MAP_READWRITE);
    FrameCanvas canvas(mapped.frame());
    canvas.fill({9, 0, 4, 4}, 0xffffffff);
    canvas.fill({0, -4, 4, 4}, 0xffffffff);
    canvas.fill({2, 2, 0, 5}, 0xffffffff);
    canvas.fill({2, 2, 5, -1}, 0xffffffff);
    canvas.fill({-2000000000, 0, 4, 4}, 0xffffffff);
    canvas.fill({0, 0, 9, 9}, 0x00ffffff);
  }
  EXPECT_EQ(bytes_of(buffer.get()), before);
}

TEST(Canvas, FadedScalesAlphaOnly) {
  EXPECT_EQ(faded(0xff123456, 0.5), 0x80123456u);
  EXPECT_EQ(faded(0x80123456, 0), 0x00123456u);
  EXPECT_EQ(faded(0x80123456, 7), 0x80123456u);
}

/// The stored pixels that a rectangle of the shown picture fills, as a rectangle.
cv::Rect filled_in(const Rect& shown, const std::string& aspect, Orientation orientation) {
  const CapsPtr caps(gst_caps_from_string(
      (video_caps("GRAY8", 40, 20) + ",pixel-aspect-ratio=" + aspect).c_str()));
  GstVideoInfo info;
  EXPECT_TRUE(gst_video_info_from_caps(&info, caps.get()));
  const BufferPtr buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  gst_buffer_memset(buffer.get(), 0, 0, GST_VIDEO_INFO_SIZE(&info));
  {
    MappedFrame mapped(info, buffer.get(), GST_MAP_READWRITE);
    FrameCanvas(mapped.frame(), orientation).fill(shown, 0xffffffff);
  }
  return cv::boundingRect(picture_of(buffer.get(), info));
}

TEST(Canvas, DrawsInPixelsOfTheShownPicture) {
  EXPECT_EQ(filled_in({4, 4, 10, 10}, "1/1", Orientation::kIdentity), cv::Rect(4, 4, 10, 10));
  // Stored pixels are twice as wide as high: half as many of them across.
  EXPECT_EQ(filled_in({4, 4, 10, 10}, "2/1", Orientation::kIdentity), cv::Rect(2, 4, 5, 10));
  // Shown 20 wide and 40 high. Its upper left corner is the stored picture's lower left one.
  EXPECT_EQ(filled_in({2, 4, 6, 10}, "1/1", Orientation::k90Right), cv::Rect(4, 12, 10, 6));
  EXPECT_EQ(filled_in({4, 4, 10, 8}, "1/1", Orientation::k180), cv::Rect(26, 8, 10, 8));
}

TEST(Canvas, TurnsMasksWithThePicture) {
  // An L: its foot lies at the lower right.
  cv::Mat mask(6, 4, CV_8UC1, cv::Scalar(0));
  mask.col(0).setTo(255);
  mask.row(5).setTo(255);
  const GstVideoInfo info = video_info("GRAY8", 40, 20);
  const BufferPtr buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  gst_buffer_memset(buffer.get(), 0, 0, GST_VIDEO_INFO_SIZE(&info));
  {
    MappedFrame mapped(info, buffer.get(), GST_MAP_READWRITE);
    FrameCanvas canvas(mapped.frame(), Orientation::k180);
    canvas.blend({mask.data, 4, 4, 6}, 10, 5, 0xffffffff);
  }
  cv::Mat upright, expected(20, 40, CV_8UC1, cv::Scalar(0));
  cv::rotate(picture_of(buffer.get(), info), upright, cv::ROTATE_180);
  mask.copyTo(expected(cv::Rect(10, 5, 4, 6)));
  EXPECT_EQ(cv::norm(upright, expected, cv::NORM_INF), 0);
}

}  // namespace
}  // namespace fer
