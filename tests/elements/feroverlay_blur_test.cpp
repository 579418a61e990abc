// What feroverlay covers, on the pixels that come out of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <set>

#include "data/drawn_face.h"
#include "detector_models.h"
#include "element_test.h"
#include "made_up_faces.h"
#include "video-frame.h"

namespace fer {
namespace {

using namespace test;
using testing::HasSubstr;

const std::vector<std::string> kStyles = {"gaussian", "pixelate", "mask"};

/// Noise, of which nothing but its mean may be left.
cv::Mat noise(cv::Size size) {
  cv::Mat picture(size, CV_8UC3);
  cv::RNG random(5);
  random.fill(picture, cv::RNG::UNIFORM, 0, 256);
  return picture;
}

/// The samples of one component, as they lie in the frame.
cv::Mat component(const GstVideoInfo& info, GstBuffer* buffer, guint number) {
  MappedFrame mapped(info, buffer, GST_MAP_READ);
  EXPECT_TRUE(mapped);
  const GstVideoFrame& frame = mapped.frame();
  const bool wide = GST_VIDEO_INFO_COMP_DEPTH(&info, number) > 8;
  // GStreamer 1.22 has 1 as the offset of P010's V.
  int offset = GST_VIDEO_INFO_COMP_POFFSET(&info, number);
  if (wide && offset == 1) offset = 2;
  const auto* plane = static_cast<const std::uint8_t*>(
      GST_VIDEO_FRAME_PLANE_DATA(&frame, GST_VIDEO_INFO_COMP_PLANE(&info, number)));
  cv::Mat samples(GST_VIDEO_INFO_COMP_HEIGHT(&info, number),
                  GST_VIDEO_INFO_COMP_WIDTH(&info, number), CV_16U);
  for (int y = 0; y < samples.rows; ++y) {
    for (int x = 0; x < samples.cols; ++x) {
      const auto* at = plane + offset + y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, number) +
                       x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, number);
      samples.at<std::uint16_t>(y, x) =
          static_cast<std::uint16_t>(wide ? at[0] | at[1] << 8 : at[0]);
    }
  }
  return samples;
}

double deviation(const cv::Mat& samples) {
  cv::Scalar mean, deviation;
  cv::meanStdDev(samples, mean, deviation);
  return deviation[0];
}

class FerOverlayBlur : public testing::Test {
 protected:
  void play(const std::string& format, cv::Size size, Properties properties) {
    for (const char* part : {"show-box", "show-label", "show-bars"}) {
      properties.emplace_back(part, "false");
    }
    harness_ = std::make_unique<Harness>(make_element("feroverlay", properties));
    set_caps(format, size);
  }
  void set_caps(const std::string& format, cv::Size size) {
    info_ = video_info(format, size.width, size.height);
    harness_->set_caps(video_caps(format, size.width, size.height));
  }
  BufferPtr frame(Layout layout = Layout::kPacked) const {
    return make_frame(noise({GST_VIDEO_INFO_WIDTH(&info_), GST_VIDEO_INFO_HEIGHT(&info_)}),
                      GST_VIDEO_INFO_NAME(&info_), layout, 0);
  }
  BufferPtr pass(BufferPtr buffer) {
    EXPECT_EQ(harness_->push(std::move(buffer)), GST_FLOW_OK);
    BufferPtr out = harness_->try_pull();
    EXPECT_TRUE(out);
    return out;
  }
  BufferPtr pass(const std::vector<FaceRecord>& faces, Layout layout = Layout::kPacked) {
    return pass(with_faces(frame(layout), info_, faces));
  }
  /// Whether the rectangle differs from the noise that was pushed everywhere in it; in part is a
  /// failure.
  bool is_covered(GstBuffer* out, const cv::Rect& rect) {
    const BufferPtr before = frame();
    const cv::Mat was = component(info_, before.get(), 0)(rect),
                  is = component(info_, out, 0)(rect);
    const int same = cv::countNonZero(was == is);
    // Of noise, one sample in some 200 has its mean.
    EXPECT_TRUE(same == static_cast<int>(rect.area()) || same < rect.area() / 10) << same;
    return same < rect.area() / 10;
  }
  GstElement* element() { return harness_->element(); }

  std::unique_ptr<Harness> harness_;
  GstVideoInfo info_{};
};

// --- The pixels, in every format.

class FerOverlayBlurFormats : public FerOverlayBlur,
                              public testing::WithParamInterface<std::string> {};

TEST_P(FerOverlayBlurFormats, CoversTheFaceWithItsMarginAndNothingElse) {
  const cv::Size size(321, 241);
  // A face of 96 x 96 pixels; its margin is 28.8 on each side.
  const FaceRecord face = with_expression(face_at(100. / 321, 80. / 241, 96. / 321, 96. / 241), 1);
  for (const std::string& style : kStyles) {
    play(GetParam(), size, {{"blur", "all"}, {"blur-style", style}});
    for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
      const BufferPtr before = frame(layout), out = pass({face}, layout);
      for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS(&info_); ++i) {
        const int across = 1 << GST_VIDEO_FORMAT_INFO_W_SUB(info_.finfo, i);
        const int down = 1 << GST_VIDEO_FORMAT_INFO_H_SUB(info_.finfo, i);
        const cv::Mat was = component(info_, before.get(), i), is = component(info_, out.get(), i);
        if (i == GST_VIDEO_COMP_A) {
          // Where a mask is drawn the picture is opaque.
          if (style != "mask") {
            EXPECT_EQ(cv::countNonZero(was != is), 0) << "alpha, " << style;
          }
          continue;
        }
        // All samples that have a pixel in common with 72 to 224 across and 52 to 204 down.
        const cv::Rect inner(72 / across, 52 / down, 152 / across, 152 / down);
        EXPECT_LT(cv::countNonZero(was(inner) == is(inner)), inner.area() / 20) << style << i;
        if (style != "mask") {
          EXPECT_LT(deviation(is(inner)), deviation(was(inner)) / 4) << style << i;
        }
        const cv::Rect outer(70 / across, 50 / down, 157 / across + 1, 157 / down + 1);
        cv::Mat elsewhere = was != is;
        elsewhere(outer).setTo(0);
        EXPECT_EQ(cv::countNonZero(elsewhere), 0) << style << i;
      }
    }
  }
  EXPECT_EQ(stat(element(), "covered"), 2);
}

TEST_P(FerOverlayBlurFormats, TakesFacesAtAllBordersInFramesOfAnySize) {
  std::vector<FaceRecord> faces;
  for (const double x : {0., 0.45, 0.9}) {
    for (const double y : {0., 0.45, 0.9}) faces.push_back(face_at(x, y, 0.1, 0.1));
  }
  faces.push_back(face_at(0, 0, 1, 1));
  for (const std::string& style : kStyles) {
    play(GetParam(), {64, 64}, {{"blur", "all"}, {"blur-style", style}});
    for (const cv::Size size :
         {cv::Size(1, 1), cv::Size(2, 3), cv::Size(3, 200), cv::Size(201, 5), cv::Size(161, 121)}) {
      set_caps(GetParam(), size);
      for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
        EXPECT_TRUE(pass(faces, layout)) << size;
      }
    }
    EXPECT_EQ(stat(element(), "covered"), 100);
    EXPECT_EQ(stat(element(), "dropped"), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, FerOverlayBlurFormats, testing::ValuesIn(video_formats()),
                         [](const auto& info) { return info.param; });

TEST_F(FerOverlayBlur, PixelateKeepsAFewMeans) {
  play("GRAY8", {320, 240}, {{"blur", "all"}, {"blur-style", "pixelate"}});
  const BufferPtr before = frame(), out = pass({face_at(0.25, 0.25, 0.5, 0.5)});
  const cv::Mat was = component(info_, before.get(), 0), is = component(info_, out.get(), 0);
  // The face of 160 x 120 pixels and its margin, 256 x 192: nine whole cells each way.
  std::set<int> values;
  for (int row = 0; row < 9; ++row) {
    for (int column = 0; column < 9; ++column) {
      const cv::Point from(32 + 256 * column / 9 + 1, 24 + 192 * row / 9 + 1);
      const cv::Rect cell(from, cv::Size(26, 19));
      EXPECT_EQ(deviation(is(cell)), 0) << cell;
      EXPECT_NEAR(is.at<std::uint16_t>(from), cv::mean(was(cell))[0], 3) << cell;
    }
  }
}

TEST_F(FerOverlayBlur, GaussianHasNoEdgeInside) {
  play("GRAY8", {320, 240}, {{"blur", "all"}});
  const BufferPtr out = pass({face_at(0.25, 0.25, 0.5, 0.5)});
  cv::Mat is, across;
  component(info_, out.get(), 0)(cv::Rect(32, 24, 256, 192)).convertTo(is, CV_32F);
  cv::absdiff(is.colRange(1, is.cols), is.colRange(0, is.cols - 1), across);
  double steepest = 0;
  cv::minMaxLoc(across, nullptr, &steepest);
  EXPECT_LE(steepest, 2);
}

TEST_F(FerOverlayBlur, TwoFacesWithTheSameMeansBecomeTheSame) {
  // A picture and the same in which the pixels of each cell have changed places.
  play("GRAY8", {320, 240}, {{"blur", "all"}, {"blur-style", "pixelate"}});
  const FaceRecord face = face_at(0.25, 0.25, 0.5, 0.5);
  cv::Mat first = noise({320, 240}), second = first.clone();
  for (int row = 0; row < 9; ++row) {
    for (int column = 0; column < 9; ++column) {
      const cv::Point from(32 + 256 * column / 9 + 1, 24 + 192 * row / 9 + 1);
      const cv::Rect cell(from, cv::Size(26, 19));
      cv::flip(first(cell), second(cell), -1);
    }
  }
  const auto covered = [&](const cv::Mat& picture) {
    const BufferPtr out = pass(with_faces(make_frame(picture, "GRAY8"), info_, {face}));
    return component(info_, out.get(), 0)(cv::Rect(32, 24, 256, 192)).clone();
  };
  EXPECT_GT(cv::countNonZero(first.reshape(1) != second.reshape(1)), 50000);
  EXPECT_EQ(cv::countNonZero(covered(first) != covered(second)), 0);
}

TEST_F(FerOverlayBlur, NoDetectorFindsACoveredFace) {
  const auto detector = landmark_detector_path();
  if (detector.empty()) GTEST_SKIP() << "no detector with landmarks is here";
  cv::Mat picture(240, 320, CV_8UC3, cv::Scalar(60, 70, 80));
  const DrawnFace drawn = draw_face_at(picture, {{160, 120}, 120});
  const auto found = [&](BufferPtr buffer) {
    Harness detect(make_element("ferdetect", {{"model", detector.string()}}));
    detect.set_caps(video_caps("BGR", 320, 240));
    EXPECT_EQ(detect.push(std::move(buffer)), GST_FLOW_OK);
    return faces_of(detect.pull().get());
  };
  const std::vector<FaceRecord> before = found(make_frame(picture, "BGR"));
  ASSERT_EQ(before.size(), 1u);
  EXPECT_NEAR(before[0].x * 320, drawn.box.x, 25);
  for (const std::string style : {"gaussian", "pixelate"}) {
    play("BGR", {320, 240}, {{"blur", "all"}, {"blur-style", style}});
    BufferPtr out = pass(with_faces(make_frame(picture, "BGR"), info_, before));
    EXPECT_TRUE(found(BufferPtr(gst_buffer_copy_deep(out.get()))).empty()) << style;
  }
}

// --- Which faces.

TEST_F(FerOverlayBlur, CoversNobodyUnlessAsked) {
  play("NV12", {320, 240}, {});
  const BufferPtr out = pass({face_at(0.3, 0.3, 0.3, 0.3)});
  EXPECT_FALSE(is_covered(out.get(), {96, 72, 96, 72}));
  EXPECT_EQ(stat(element(), "covered"), 0);
}

TEST_F(FerOverlayBlur, UnsureCoversWhatIsUnsureOrHasNoLabel) {
  play("NV12", {600, 200}, {{"blur", "unsure"}});
  FaceRecord unsure = with_expression(face_at(0.44, 0.4, 0.1, 0.3, 2), 3, 0.2f);
  unsure.expression->unsure = true;
  const BufferPtr out = pass(
      {face_at(0.1, 0.4, 0.1, 0.3, 1), unsure, with_expression(face_at(0.8, 0.4, 0.1, 0.3, 3), 1)});
  EXPECT_TRUE(is_covered(out.get(), {60, 80, 60, 60}));
  EXPECT_TRUE(is_covered(out.get(), {264, 80, 60, 60}));
  EXPECT_FALSE(is_covered(out.get(), {480, 80, 60, 60}));
  EXPECT_EQ(stat(element(), "covered"), 2);
}

TEST_F(FerOverlayBlur, AFaceStaysCoveredBetweenDetections) {
  play("NV12", {320, 240}, {{"blur", "all"}});
  const cv::Rect rect(96, 72, 96, 72);
  EXPECT_TRUE(is_covered(pass({face_at(0.3, 0.3, 0.3, 0.3, 4)}).get(), rect));
  for (int missed = 0; missed < 15; ++missed) {
    EXPECT_TRUE(is_covered(pass(std::vector<FaceRecord>()).get(), rect)) << missed;
  }
  EXPECT_FALSE(is_covered(pass(std::vector<FaceRecord>()).get(), rect));
}

TEST_F(FerOverlayBlur, AFlushEndsWhatIsHeld) {
  play("NV12", {320, 240}, {{"blur", "all"}});
  pass({face_at(0.3, 0.3, 0.3, 0.3, 4)});
  harness_->push_event(gst_event_new_flush_start());
  harness_->push_event(gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  harness_->push_event(gst_event_new_segment(&segment));
  EXPECT_FALSE(is_covered(pass(std::vector<FaceRecord>()).get(), {96, 72, 96, 72}));
}

TEST_F(FerOverlayBlur, TheMaskShowsTheExpressionAndNoPixelOfTheFace) {
  play("BGR", {320, 240}, {{"blur", "all"}, {"blur-style", "mask"}});
  std::vector<cv::Mat> masks;
  for (const int label : {1, 3}) {
    const FaceRecord face = with_expression(face_at(0.25, 0.25, 0.5, 0.5, 1), label);
    const BufferPtr out = pass({face});
    cv::Mat picture = picture_of(out.get(), info_)(cv::Rect(32, 24, 256, 192)).clone();
    // Two colours and what lies between them at round corners.
    int plain = 0;
    const cv::Vec3b ground = picture.at<cv::Vec3b>(2, 2);
    for (const cv::Vec3b& pixel : cv::Mat_<cv::Vec3b>(picture)) plain += pixel == ground;
    EXPECT_GT(plain, 256 * 192 * 9 / 10);
    EXPECT_LT(plain, 256 * 192 - 300) << "eyes, brows and mouth";
    masks.push_back(picture);
    // Another person with the same expression looks the same.
    const BufferPtr other = pass(with_faces(
        make_frame(cv::Mat(240, 320, CV_8UC3, cv::Scalar(9, 99, 199)), "BGR"), info_, {face}));
    const cv::Mat same = picture_of(other.get(), info_)(cv::Rect(32, 24, 256, 192));
    EXPECT_EQ(cv::countNonZero(picture.reshape(1) != same.clone().reshape(1)), 0);
  }
  EXPECT_NE(masks[0].at<cv::Vec3b>(2, 2), masks[1].at<cv::Vec3b>(2, 2));
}

TEST_F(FerOverlayBlur, CoversTheSamePixelsHoweverThePictureIsTurned) {
  for (const std::string& style : kStyles) {
    play("NV12", {320, 240}, {{"blur", "all"}, {"blur-style", style}});
    for (const Orientation orientation :
         {Orientation::k90Right, Orientation::k180, Orientation::kTranspose}) {
      BufferPtr buffer = frame();
      face_meta_write(buffer.get(), info_, {face_at(0.1, 0.5, 0.2, 0.3, 1)}, orientation);
      const BufferPtr out = pass(std::move(buffer));
      EXPECT_TRUE(is_covered(out.get(), {14, 100, 100, 110})) << style;
      EXPECT_FALSE(is_covered(out.get(), {120, 0, 200, 240})) << style;
    }
  }
}

// --- Ahead of everything else, and safe where it cannot.

TEST_F(FerOverlayBlur, CoversInThePixelsWhereDownstreamBlendsTheOverlay) {
  harness_ = std::make_unique<Harness>(make_element("feroverlay", {{"blur", "all"}}));
  gst_harness_add_propose_allocation_meta(harness_->get(),
                                          GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, nullptr);
  harness_->set_downstream_caps(
      "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition),format=NV12;"
      "video/x-raw,format=NV12");
  set_caps("NV12", {320, 240});
  const BufferPtr out = pass({with_expression(face_at(0.3, 0.3, 0.3, 0.3, 1), 1)});
  EXPECT_NE(gst_buffer_get_video_overlay_composition_meta(out.get()), nullptr) << "box and label";
  EXPECT_TRUE(is_covered(out.get(), {96, 72, 96, 72}));
}

TEST_F(FerOverlayBlur, BoxAndLabelLieOnTopOfIt) {
  harness_ = std::make_unique<Harness>(make_element(
      "feroverlay", {{"blur", "all"}, {"color-box", "4294901760"}, {"line-width", "9"}}));
  set_caps("BGR", {320, 240});
  const BufferPtr out = pass({face_at(0.25, 0.25, 0.5, 0.5, 1)});
  EXPECT_EQ(picture_of(out.get(), info_).at<cv::Vec3b>(120, 80), cv::Vec3b(0, 0, 255));
}

TEST_F(FerOverlayBlur, WhatOthersSeeOfASharedFrameIsAsItWas) {
  play("NV12", {320, 240}, {{"blur", "all"}});
  BufferPtr buffer = with_faces(frame(), info_, {face_at(0.3, 0.3, 0.3, 0.3, 1)});
  const BufferPtr shared(gst_buffer_ref(buffer.get()));
  const auto bytes = bytes_of(shared.get());
  const BufferPtr out = pass(std::move(buffer));
  EXPECT_EQ(bytes_of(shared.get()), bytes);
  EXPECT_TRUE(is_covered(out.get(), {96, 72, 96, 72}));
}

TEST_F(FerOverlayBlur, WithoutARecordTheWholePictureIsCovered) {
  for (const std::string& style : kStyles) {
    play("I420", {320, 240}, {{"blur", "unsure"}, {"blur-style", style}});
    EXPECT_TRUE(is_covered(pass(frame()).get(), {0, 0, 320, 240})) << style;
    pass(frame());
    const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
    ASSERT_TRUE(warning);
    EXPECT_THAT(message_text(warning.get()), HasSubstr("Put ferdetect before feroverlay"));
    EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0) << "once";
    EXPECT_EQ(stat(element(), "covered-frames"), 2);
  }
}

TEST_F(FerOverlayBlur, WhereRegionsWereDroppedTheWholePictureIsCovered) {
  play("I420", {320, 240}, {{"blur", "all"}});
  BufferPtr buffer = with_faces(frame(), info_, {face_at(0.3, 0.3, 0.3, 0.3, 1)});
  gst_buffer_remove_meta(
      buffer.get(),
      reinterpret_cast<GstMeta*>(gst_buffer_get_video_region_of_interest_meta_id(buffer.get(), 1)));
  EXPECT_TRUE(is_covered(pass(std::move(buffer)).get(), {0, 0, 320, 240}));
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("Put that element before ferdetect"));
}

TEST_F(FerOverlayBlur, AFrameThatCannotBeCoveredIsDropped) {
  play("I420", {64, 48}, {{"blur", "all"}});
  BufferPtr buffer(gst_buffer_new_allocate(nullptr, 100, nullptr));
  EXPECT_EQ(harness_->push(with_faces(std::move(buffer), info_, {face_at(0, 0, 1, 1)})),
            GST_FLOW_OK);
  EXPECT_FALSE(harness_->try_pull());
  EXPECT_EQ(stat(element(), "dropped"), 1);
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("was dropped"));
  EXPECT_TRUE(is_covered(pass({face_at(0, 0, 1, 1)}).get(), {0, 0, 64, 48})) << "and it goes on";
}

TEST_F(FerOverlayBlur, PropertiesCanBeReadBackAndControlled) {
  const ElementPtr overlay =
      make_element("feroverlay", {{"blur", "unsure"}, {"blur-style", "mask"}});
  EXPECT_EQ(property<gint>(overlay.get(), "blur"), 1);
  EXPECT_EQ(property<gint>(overlay.get(), "blur-style"), 2);
  for (const char* name : {"blur", "blur-style"}) {
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(overlay.get()), name);
    EXPECT_TRUE(spec->flags & GST_PARAM_CONTROLLABLE) << name;
  }
}

}  // namespace
}  // namespace fer
