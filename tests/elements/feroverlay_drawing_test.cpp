#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "feroverlay_fixture.h"

namespace fer {
namespace {

using namespace test;

constexpr guint kRed = 0xffff0000;

TEST_F(FerOverlay, DrawsInTheFramesColours) {
  // A box of pure red, its line four pixels wide, seen in the middle of its left side.
  const Properties red = {{"color-box", std::to_string(kRed)},
                          {"line-width", "8"},
                          {"show-label", "false"},
                          {"show-bars", "false"}};
  play(red);
  const auto luma_and_chroma = [&](const std::string& colorimetry) {
    info_ = video_info("I420", 64, 64);
    harness_->set_caps(video_caps("I420", 64, 64) + ",colorimetry=" + colorimetry);
    const BufferPtr out = draw({face_at(0.25, 0.25, 0.5, 0.5)});
    MappedFrame mapped(info_, out.get(), GST_MAP_READ);
    const FrameView view = mapped.view();
    return std::vector<int>{view.data[0][32 * view.stride[0] + 16],
                            view.data[1][16 * view.stride[1] + 8],
                            view.data[2][16 * view.stride[2] + 8]};
  };
  EXPECT_EQ(luma_and_chroma("bt601"), (std::vector<int>{81, 90, 240}));
  EXPECT_EQ(luma_and_chroma("bt709"), (std::vector<int>{63, 102, 240}));
  EXPECT_EQ(luma_and_chroma("1:4:5:1"), (std::vector<int>{76, 85, 255}));
}

/// The colour, in B, G, R, of the middle of a box's left side.
cv::Vec3b box_colour(GstBuffer* buffer, const GstVideoInfo& info, const FaceRecord& face) {
  return picture_of(buffer, info)
      .at<cv::Vec3b>(static_cast<int>((face.y + face.h / 2) * GST_VIDEO_INFO_HEIGHT(&info)),
                     static_cast<int>(face.x * GST_VIDEO_INFO_WIDTH(&info)));
}

TEST_F(FerOverlay, EachExpressionHasItsColour) {
  play("BGRx", {320, 240}, {{"show-bars", "false"}, {"line-width", "4"}});
  std::vector<cv::Vec3b> colours;
  for (int label = 0; label < 8; ++label) {
    const FaceRecord face =
        with_expression(face_at(0.3, 0.3, 0.4, 0.4, static_cast<guint64>(label) + 1), label);
    const BufferPtr out = draw({face});
    colours.push_back(box_colour(out.get(), info_, face));
    for (int other = 0; other < label; ++other) {
      EXPECT_GT(cv::norm(colours[static_cast<std::size_t>(label)],
                         colours[static_cast<std::size_t>(other)], cv::NORM_L1),
                60)
          << kLabels[static_cast<std::size_t>(label)] << " and "
          << kLabels[static_cast<std::size_t>(other)];
    }
  }
  gst_util_set_object_arg(G_OBJECT(element()), "color-box", "0xff00ff00");
  const FaceRecord face = with_expression(face_at(0.3, 0.3, 0.4, 0.4, 20), 1);
  const BufferPtr out = draw({face});
  EXPECT_EQ(box_colour(out.get(), info_, face), cv::Vec3b(0, 255, 0));
}

TEST_F(FerOverlay, ShowsWhatIsUnsureInNoExpressionsColour) {
  play("BGRx", {320, 240}, {{"show-bars", "false"}, {"line-width", "4"}});
  FaceRecord face = with_expression(face_at(0.3, 0.3, 0.4, 0.4, 1), 4);
  const cv::Mat sure = picture_of(draw({face}).get(), info_);
  const cv::Vec3b anger = box_colour(draw({face}, 1).get(), info_, face);
  face.expression->unsure = true;
  const BufferPtr out = draw({face}, 2);
  EXPECT_GT(cv::norm(box_colour(out.get(), info_, face), anger, cv::NORM_L1), 60);
  // Nor does its label name the expression.
  const cv::Rect tag(90, 45, 80, 24);
  EXPECT_GT(cv::norm(picture_of(out.get(), info_)(tag), sure(tag), cv::NORM_INF), 60);
}

TEST_F(FerOverlay, EachPartCanBeSwitched) {
  const FaceRecord face = with_landmarks(with_expression(face_at(0.3, 0.3, 0.25, 0.4, 5), 1));
  int count = 0;
  for (const std::string part : {"box", "label", "bars", "landmarks"}) {
    Properties properties;
    for (const std::string other : {"box", "label", "bars", "landmarks"}) {
      properties.emplace_back("show-" + other, other == part ? "true" : "false");
    }
    play("BGRx", {400, 300}, properties);
    const cv::Mat changed = drawn({face});
    EXPECT_EQ(changed.at<uchar>(150, 120) > 0, part == "box") << part;
    EXPECT_EQ(cv::countNonZero(changed(cv::Rect(120, 66, 60, 16))) > 300, part == "label") << part;
    EXPECT_EQ(cv::countNonZero(changed(cv::Rect(232, 95, 60, 90))) > 3000, part == "bars") << part;
    EXPECT_EQ(changed.at<uchar>(90 + 48, 120 + 30) > 0, part == "landmarks") << part;
    count += cv::countNonZero(changed);
  }
  EXPECT_GT(count, 0);
  play("BGRx", {400, 300}, {{"show-id", "true"}});
  const int with_id = cv::countNonZero(drawn({face}));
  play("BGRx", {400, 300}, {{"show-id", "false"}});
  EXPECT_LT(cv::countNonZero(drawn({face})), with_id);
}

TEST_F(FerOverlay, LabelFollowsFontAndColours) {
  const FaceRecord face = with_expression(face_at(0.3, 0.4, 0.25, 0.4, 5), 1);
  const Properties label_only = {{"show-box", "false"}, {"show-bars", "false"}};
  play("BGRx", {640, 480}, label_only);
  const int usual = cv::countNonZero(drawn({face}));
  g_object_set(element(), "font-size", 40., nullptr);
  EXPECT_GT(cv::countNonZero(drawn({face}, 1)), 3 * usual);
  g_object_set(element(), "font-size", 0., "font", "Sans 40px", nullptr);
  EXPECT_GT(cv::countNonZero(drawn({face}, 2)), 3 * usual) << "the font's own size";
  g_object_set(element(), "font", nullptr, nullptr);
  EXPECT_EQ(property<std::string>(element(), "font"), "Sans");
  EXPECT_NEAR(cv::countNonZero(drawn({face}, 3)), usual, usual / 50);
  g_object_set(element(), "color-background", 0u, "color-text", 0u, nullptr);
  EXPECT_LT(cv::countNonZero(drawn({face}, 4)), usual / 4) << "its stripe is left";
}

TEST_F(FerOverlay, LinesAndFontGrowWithTheFrame) {
  const FaceRecord face = with_expression(face_at(0.3, 0.3, 0.25, 0.4, 5), 1);
  std::vector<int> drawn_pixels;
  for (const cv::Size size : {cv::Size(640, 360), cv::Size(1920, 1080)}) {
    play("GRAY8", size, {{"show-bars", "false"}, {"show-label", "false"}});
    const cv::Mat changed = drawn({face});
    const int row = size.height / 2, column = static_cast<int>(0.3 * size.width);
    drawn_pixels.push_back(cv::countNonZero(changed(cv::Rect(column - 12, row, 24, 1))));
  }
  EXPECT_GT(drawn_pixels[1], drawn_pixels[0]);
}

TEST_F(FerOverlay, TakesExtremeSettings) {
  const std::vector<FaceRecord> faces = {with_expression(face_at(0.1, 0.1, 0.5, 0.5, 5), 1),
                                         with_expression(face_at(0.9, 0.9, 0.1, 0.1, 6), 2)};
  for (const Properties& properties :
       {Properties{{"font-size", "1000"}, {"line-width", "100"}}, Properties{{"font-size", "0.01"}},
        Properties{{"line-width", "0.01"}}, Properties{{"font", "No Such Font, 0"}},
        Properties{{"font", "Sans 30000"}}, Properties{{"font", "Sans 2000000px"}},
        Properties{{"smoothing", "0.99"}, {"font", "Sans 300px"}}}) {
    for (const cv::Size size : {cv::Size(64, 48), cv::Size(641, 361)}) {
      play("I420", size, properties);
      EXPECT_GT(cv::countNonZero(drawn(faces)), 0);
    }
  }
}

TEST_F(FerOverlay, TakesAnyLabel) {
  play("NV12", {320, 240});
  int number = 0;
  for (const std::string& label : {std::string(), std::string(3000, 'x'), std::string("two\nlines"),
                                   std::string("\xd7\xa9\xd7\x9e"), std::string("<b>%s</b>")}) {
    FaceRecord face = with_expression(face_at(0.3, 0.3, 0.3, 0.3), 0);
    face.expression->label = face.expression->labels[0] = label;
    EXPECT_GT(cv::countNonZero(drawn({face}, number++)), 0);
  }
}

TEST_F(FerOverlay, FiftyFaces) {
  play("NV12", {1281, 721}, {{"show-landmarks", "true"}});
  std::vector<FaceRecord> faces;
  for (int i = 0; i < 50; ++i) {
    faces.push_back(
        with_landmarks(with_expression(face_at(0.01 + 0.099 * (i % 10), 0.05 + 0.19 * (i / 10),
                                               0.05, 0.1, static_cast<guint64>(i) + 1),
                                       i % 8)));
  }
  const cv::Mat changed = drawn(faces);
  for (const FaceRecord& face : faces) {
    EXPECT_TRUE(changed.at<uchar>(static_cast<int>((face.y + face.h / 2) * 721),
                                  static_cast<int>(std::lround(face.x * 1281))));
  }
  EXPECT_EQ(stat(element(), "faces"), 50);
}

TEST_F(FerOverlay, BarsHideNoFace) {
  play("BGRx", {640, 360}, {{"show-box", "false"}, {"show-label", "false"}});
  // The right place is another face's, and the left one out of the frame.
  const FaceRecord left = with_expression(face_at(0.05, 0.2, 0.25, 0.5, 1), 1);
  FaceRecord right = face_at(0.35, 0.2, 0.25, 0.5, 2);
  const cv::Mat changed = drawn({left, right});
  EXPECT_EQ(cv::countNonZero(changed(cv::Rect(224, 72, 160, 180))), 0);
  EXPECT_EQ(cv::countNonZero(changed(cv::Rect(32, 72, 160, 180))), 0);
}

TEST_F(FerOverlay, BarsHideNobodyInACrowd) {
  play("BGRx", {640, 360}, {{"show-box", "false"}, {"show-label", "false"}});
  // 64 pixels wide and 72 high, with room for bars all around.
  const FaceRecord small = with_expression(face_at(0.2, 0.2, 0.1, 0.2, 1), 1);
  const FaceRecord other = with_expression(face_at(0.7, 0.2, 0.1, 0.2, 2), 0);
  EXPECT_EQ(cv::countNonZero(drawn({small, other})), 0);
  EXPECT_GT(cv::countNonZero(drawn({small}, 1)), 3000) << "alone";
  // Of 96 pixels, the face has bars among others, too.
  const FaceRecord large = with_expression(face_at(0.2, 0.2, 0.15, 0.3, 3), 1);
  EXPECT_GT(cv::countNonZero(drawn({large, other}, 2)), 3000);
}

TEST_F(FerOverlay, ASteadyStreamRendersNothing) {
  play("NV12", {640, 360});
  std::vector<FaceRecord> faces;
  for (guint64 i = 0; i < 4; ++i) {
    faces.push_back(
        with_expression(face_at(0.05 + 0.25 * i, 0.3, 0.1, 0.3, i + 1), static_cast<int>(i)));
  }
  drawn(faces);
  const auto rendered = stat(element(), "rendered");
  EXPECT_GT(rendered, 10);
  for (int number = 1; number < 10; ++number) {
    for (FaceRecord& face : faces) face.y += 0.01;
    drawn(faces, number);
  }
  EXPECT_EQ(stat(element(), "rendered"), rendered);
}

// --- Smoothing, and what makes it forget.

class FerOverlaySmoothing : public FerOverlay {
 protected:
  void SetUp() override {
    play("BGRx", {320, 240}, {{"show-bars", "false"}, {"line-width", "4"}, {"smoothing", "0.9"}});
    happy_ = colour(1, 1000);
    sad_ = colour(3, 1001);
    ASSERT_NE(happy_, sad_);
  }
  cv::Vec3b colour(int label, guint64 track = 1) {
    const FaceRecord face = with_expression(face_at(0.3, 0.3, 0.4, 0.4, track), label);
    const BufferPtr out = draw({face}, number_++);
    return box_colour(out.get(), info_, face);
  }
  int number_ = 0;
  cv::Vec3b happy_, sad_;
};

TEST_F(FerOverlaySmoothing, HoldsTheLabelOfATrack) {
  EXPECT_EQ(colour(1), happy_);
  EXPECT_EQ(colour(3), happy_);
  EXPECT_EQ(colour(3, 2), sad_) << "another track";
  for (int i = 0; i < 20; ++i) colour(3);
  EXPECT_EQ(colour(3), sad_);
}

TEST_F(FerOverlaySmoothing, CanBeTurnedOff) {
  colour(1);
  g_object_set(element(), "smoothing", 0., nullptr);
  EXPECT_EQ(colour(3), sad_);
}

TEST_F(FerOverlaySmoothing, EndsWithAFlush) {
  colour(1);
  harness_->push_event(gst_event_new_flush_start());
  harness_->push_event(gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  harness_->push_event(gst_event_new_segment(&segment));
  EXPECT_EQ(colour(3), sad_);
}

TEST_F(FerOverlaySmoothing, EndsWithOtherCaps) {
  colour(1);
  set_caps("BGRx", {400, 240});
  EXPECT_EQ(colour(3), sad_);
}

TEST_F(FerOverlaySmoothing, EndsWithAStop) {
  colour(1);
  gst_element_set_state(element(), GST_STATE_READY);
  gst_element_set_state(element(), GST_STATE_PLAYING);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  harness_->push_event(gst_event_new_stream_start("again"));
  set_caps("BGRx", {320, 240});
  harness_->push_event(gst_event_new_segment(&segment));
  EXPECT_EQ(colour(3), sad_);
  EXPECT_EQ(stat(element(), "frames"), 1) << "since the start";
}

}  // namespace
}  // namespace fer
