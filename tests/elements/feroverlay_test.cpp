#include <gmock/gmock.h>
#include <gst/controller/controller.h>
#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>

#include "element_test.h"
#include "made_up_faces.h"
#include "video-frame.h"

namespace fer {
namespace {

using namespace test;
using testing::HasSubstr;

constexpr guint kRed = 0xffff0000;

/// Noise, so that whatever is drawn shows.
const cv::Mat& noise(cv::Size size) {
  static cv::Mat picture;
  if (picture.size() != size) {
    picture.create(size, CV_8UC3);
    cv::randu(picture, 0, 256);
  }
  return picture;
}

/// The pixels in which two frames differ, each component looked at.
cv::Mat changed_pixels(const GstVideoInfo& info, GstBuffer* a, GstBuffer* b) {
  MappedFrame first(info, a, GST_MAP_READ), second(info, b, GST_MAP_READ);
  EXPECT_TRUE(first && second);
  cv::Mat changed =
      cv::Mat::zeros(GST_VIDEO_INFO_HEIGHT(&info), GST_VIDEO_INFO_WIDTH(&info), CV_8U);
  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS(&info); ++i) {
    const int across = GST_VIDEO_FORMAT_INFO_W_SUB(info.finfo, i);
    const int down = GST_VIDEO_FORMAT_INFO_H_SUB(info.finfo, i);
    const bool wide = GST_VIDEO_INFO_COMP_DEPTH(&info, i) > 8;
    for (int y = 0; y < changed.rows; ++y) {
      for (int x = 0; x < changed.cols; ++x) {
        const auto sample = [&](const GstVideoFrame& frame) {
          const auto* at = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, i)) +
                           (y >> down) * GST_VIDEO_FRAME_COMP_STRIDE(&frame, i) +
                           (x >> across) * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, i);
          return wide ? at[0] | (at[1] << 8) : at[0];
        };
        if (sample(first.frame()) != sample(second.frame())) changed.at<uchar>(y, x) = 255;
      }
    }
  }
  return changed;
}

class FerOverlay : public testing::Test {
 protected:
  void play(const Properties& properties = {}) {
    harness_ = std::make_unique<Harness>(make_element("feroverlay", properties));
  }
  void set_caps(const std::string& format, cv::Size size) {
    info_ = video_info(format, size.width, size.height);
    harness_->set_caps(video_caps(format, size.width, size.height));
  }
  /// An element that plays, with caps of that format and size.
  void play(const std::string& format, cv::Size size, const Properties& properties = {}) {
    play(properties);
    set_caps(format, size);
  }

  BufferPtr frame(int number = 0, Layout layout = Layout::kPacked) const {
    return make_frame(noise({GST_VIDEO_INFO_WIDTH(&info_), GST_VIDEO_INFO_HEIGHT(&info_)}),
                      GST_VIDEO_INFO_NAME(&info_), layout, number);
  }
  BufferPtr pass(BufferPtr buffer) {
    EXPECT_EQ(harness_->push(std::move(buffer)), GST_FLOW_OK);
    BufferPtr out = harness_->try_pull();
    EXPECT_TRUE(out);
    return out;
  }
  /// What is drawn on frame `number` with these faces.
  cv::Mat drawn(const std::vector<FaceRecord>& faces, int number = 0,
                Layout layout = Layout::kPacked) {
    const BufferPtr before = frame(number, layout);
    const BufferPtr out = pass(with_faces(frame(number, layout), info_, faces));
    return changed_pixels(info_, before.get(), out.get());
  }
  /// What is drawn, where two runs with different settings draw differently.
  BufferPtr draw(const std::vector<FaceRecord>& faces, int number = 0) {
    return pass(with_faces(frame(number), info_, faces));
  }
  GstElement* element() { return harness_->element(); }

  std::unique_ptr<Harness> harness_;
  GstVideoInfo info_{};
};

// --- Frames as they come.

class FerOverlayFormats : public FerOverlay, public testing::WithParamInterface<std::string> {};

TEST_P(FerOverlayFormats, DrawsTheBoxAndNothingElse) {
  play({{"show-label", "false"}, {"show-bars", "false"}, {"line-width", "3"}});
  // From 11 to 43 pixels in both directions.
  const cv::Rect box(11, 11, 32, 32);
  for (const cv::Size size : {cv::Size(64, 64), cv::Size(65, 63), cv::Size(67, 64)}) {
    set_caps(GetParam(), size);
    const FaceRecord face = face_at(
        box.x / static_cast<double>(size.width), box.y / static_cast<double>(size.height),
        box.width / static_cast<double>(size.width), box.height / static_cast<double>(size.height));
    for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
      const cv::Mat changed = drawn({face}, 0, layout);
      // Line, halo, and a chroma sample that reaches a pixel further.
      const cv::Rect outer = box + cv::Size(8, 8) - cv::Point(4, 4);
      const cv::Rect inner = box - cv::Size(10, 10) + cv::Point(5, 5);
      cv::Mat elsewhere = changed.clone();
      elsewhere(outer).setTo(0);
      EXPECT_EQ(cv::countNonZero(elsewhere), 0) << size;
      EXPECT_EQ(cv::countNonZero(changed(inner)), 0) << size;
      // The line runs through the middle of each side.
      for (const cv::Point point :
           {cv::Point(11, 27), cv::Point(42, 27), cv::Point(27, 11), cv::Point(27, 42)}) {
        EXPECT_TRUE(changed.at<uchar>(point)) << size << point;
      }
    }
  }
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_P(FerOverlayFormats, DrawsAllOfItNearTheFace) {
  play(GetParam(), {401, 301}, {{"show-landmarks", "true"}});
  const FaceRecord face = with_landmarks(with_expression(face_at(0.3, 0.3, 0.25, 0.4, 5), 1));
  for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
    const cv::Mat changed = drawn({face}, 0, layout);
    const cv::Rect box(120, 90, 100, 120);
    EXPECT_GT(cv::countNonZero(changed(cv::Rect(120, 66, 60, 16))), 300) << "label above";
    EXPECT_GT(cv::countNonZero(changed(cv::Rect(232, 95, 60, 90))), 3000) << "bars to the right";
    EXPECT_TRUE(changed.at<uchar>(90 + 48, 120 + 30)) << "right eye";
    // What is left of the box, below it, above the label and right of the bars is as it was.
    EXPECT_EQ(cv::countNonZero(changed.colRange(0, box.x - 8)), 0);
    EXPECT_EQ(cv::countNonZero(changed.rowRange(box.br().y + 8, changed.rows)), 0);
    EXPECT_EQ(cv::countNonZero(changed.rowRange(0, box.y - 30)), 0);
    EXPECT_EQ(cv::countNonZero(changed.colRange(box.br().x + 150, changed.cols)), 0);
    EXPECT_EQ(cv::countNonZero(changed(cv::Rect(180, 100, 30, 30))), 0) << "the cheek";
  }
}

TEST_P(FerOverlayFormats, TakesFacesAtAllBordersInFramesOfAnySize) {
  play({{"show-landmarks", "true"}});
  int number = 0;
  for (const cv::Size size :
       {cv::Size(1, 1), cv::Size(2, 3), cv::Size(3, 200), cv::Size(201, 5), cv::Size(161, 121)}) {
    set_caps(GetParam(), size);
    std::vector<FaceRecord> faces;
    for (const double x : {0., 0.45, 0.9}) {
      for (const double y : {0., 0.45, 0.9}) {
        faces.push_back(
            with_landmarks(with_expression(face_at(x, y, 0.1, 0.1, 1 + faces.size()), 3)));
      }
    }
    faces.push_back(with_expression(face_at(0, 0, 1, 1, 20), 4));
    for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
      EXPECT_GT(cv::countNonZero(drawn(faces, number++, layout)), 0) << size;
    }
  }
  EXPECT_EQ(stat(element(), "drawn"), number);
}

INSTANTIATE_TEST_SUITE_P(Formats, FerOverlayFormats, testing::ValuesIn(video_formats()),
                         [](const auto& info) { return info.param; });

TEST_F(FerOverlay, LeavesPaddingAlone) {
  play("NV12", {33, 21});
  const BufferPtr before = frame(0, Layout::kPadded);
  const BufferPtr out = pass(with_faces(frame(0, Layout::kPadded), info_, {face_at(0, 0, 1, 1)}));
  // Rows end in padding, which a view that is wider by the padding shows.
  const auto was = bytes_of(before.get()), is = bytes_of(out.get());
  ASSERT_EQ(was.size(), is.size());
  const GstVideoMeta* meta = gst_buffer_get_video_meta(before.get());
  ASSERT_GT(meta->stride[0], 33);
  for (int y = 0; y + 1 < 21; ++y) {
    for (int x = 33; x < meta->stride[0]; ++x) {
      const auto at = static_cast<std::size_t>(y * meta->stride[0] + x);
      EXPECT_EQ(was[at], is[at]) << x << ", " << y;
    }
  }
}

// --- Frames that pass untouched.

TEST_F(FerOverlay, FramesWithoutFacesPassAsTheyAre) {
  play("I420", {64, 48});
  for (const bool analysed : {false, true}) {
    BufferPtr buffer = frame();
    if (analysed) buffer = with_faces(std::move(buffer), info_, {});
    const BufferPtr shared(gst_buffer_ref(buffer.get()));  // it may not be written to
    const auto bytes = bytes_of(shared.get());
    const BufferPtr out = pass(std::move(buffer));
    EXPECT_EQ(out.get(), shared.get());
    EXPECT_EQ(bytes_of(out.get()), bytes);
  }
  EXPECT_EQ(stat(element(), "frames"), 2);
  EXPECT_EQ(stat(element(), "drawn"), 0);
}

TEST_F(FerOverlay, WithEverythingOffFramesPassAsTheyAre) {
  play("I420", {64, 48}, {{"show-box", "false"}, {"show-label", "false"}, {"show-bars", "false"}});
  BufferPtr buffer = with_faces(frame(), info_, {face_at(0.2, 0.2, 0.5, 0.5)});
  const BufferPtr shared(gst_buffer_ref(buffer.get()));
  EXPECT_EQ(pass(std::move(buffer)).get(), shared.get());
}

TEST_F(FerOverlay, SharedFramesAreCopiedWithTheirMetadata) {
  play("NV12", {64, 48});
  BufferPtr buffer =
      with_faces(frame(3), info_, {with_expression(face_at(0.2, 0.2, 0.5, 0.5, 9), 2)});
  const BufferPtr shared(gst_buffer_ref(buffer.get()));
  const auto bytes = bytes_of(shared.get());
  const BufferPtr out = pass(std::move(buffer));
  EXPECT_NE(out.get(), shared.get());
  EXPECT_EQ(bytes_of(shared.get()), bytes) << "what others see is as it was";
  EXPECT_NE(bytes_of(out.get()), bytes);
  EXPECT_EQ(GST_BUFFER_PTS(out.get()), GST_BUFFER_PTS(shared.get()));
  const auto faces = faces_of(out.get());
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_EQ(faces[0].track_id, 9u);
  EXPECT_EQ(faces[0].expression->label, "surprise");
}

TEST_F(FerOverlay, OwnFramesAreDrawnOnInPlace) {
  play("NV12", {64, 48});
  BufferPtr buffer = with_faces(frame(), info_, {face_at(0.2, 0.2, 0.5, 0.5)});
  const GstMemory* memory = gst_buffer_peek_memory(buffer.get(), 0);
  const GstBuffer* in = buffer.get();
  const BufferPtr out = pass(std::move(buffer));
  EXPECT_EQ(out.get(), in);
  EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
}

TEST_F(FerOverlay, OffersUpstreamWhatDownstreamOffers) {
  play();
  const OfferedMetas offered = offered_metas(*harness_, video_caps("NV12", 64, 48));
  EXPECT_TRUE(offered.video);
  EXPECT_FALSE(offered.crop) << "it would draw beside the faces";
}

TEST_F(FerOverlay, BuffersThatCannotBeMappedPassWithOneWarning) {
  play("I420", {64, 48});
  for (int i = 0; i < 5; ++i) {
    BufferPtr buffer(gst_buffer_new_allocate(nullptr, 100, nullptr));
    gst_buffer_memset(buffer.get(), 0, 7, 100);
    const BufferPtr out = pass(with_faces(std::move(buffer), info_, {face_at(0, 0, 1, 1)}));
    EXPECT_EQ(bytes_of(out.get()), std::vector<std::uint8_t>(100, 7));
  }
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()),
              testing::AllOf(HasSubstr("100 bytes"), HasSubstr("I420"), HasSubstr("64x48")));
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
  EXPECT_EQ(stat(element(), "failed"), 5);
  EXPECT_GT(cv::countNonZero(drawn({face_at(0.2, 0.2, 0.5, 0.5)})), 0) << "and it goes on";
}

// --- Where downstream blends overlays by itself.

constexpr const char* kOverlaid =
    "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition),format=NV12";

class FerOverlayAttached : public FerOverlay {
 protected:
  /// A downstream that takes the meta, and says so in its caps where `by_caps`.
  void play_before_blender(bool by_caps = true, bool by_allocation = true) {
    harness_ = std::make_unique<Harness>(make_element("feroverlay", {{"show-bars", "false"}}));
    if (by_allocation)
      gst_harness_add_propose_allocation_meta(harness_->get(),
                                              GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, nullptr);
    harness_->set_downstream_caps(std::string(by_caps ? std::string(kOverlaid) + ";" : "") +
                                  "video/x-raw,format=NV12");
    set_caps("NV12", {320, 240});
  }
};

TEST_F(FerOverlayAttached, LeavesThePixelsAndAttachesWhatItWouldDraw) {
  play_before_blender();
  const FaceRecord face = with_expression(face_at(0.3, 0.3, 0.3, 0.4, 1), 1);
  const BufferPtr before = frame();
  const BufferPtr out = pass(with_faces(frame(), info_, {face}));
  EXPECT_EQ(cv::countNonZero(changed_pixels(info_, before.get(), out.get())), 0);
  GstVideoOverlayCompositionMeta* meta = gst_buffer_get_video_overlay_composition_meta(out.get());
  ASSERT_NE(meta, nullptr);
  EXPECT_GE(gst_video_overlay_composition_n_rectangles(meta->overlay), 1u);
  EXPECT_EQ(stat(element(), "drawn"), 1);

  // Blended, it is what the element draws by itself.
  BufferPtr blended(gst_buffer_copy_deep(before.get()));
  {
    GstVideoFrame mapped;
    ASSERT_TRUE(gst_video_frame_map(&mapped, &info_, blended.get(), GST_MAP_READWRITE));
    EXPECT_TRUE(gst_video_overlay_composition_blend(meta->overlay, &mapped));
    gst_video_frame_unmap(&mapped);
  }
  play("NV12", {320, 240}, {{"show-bars", "false"}});
  const BufferPtr drawn_out = pass(with_faces(frame(), info_, {face}));
  const cv::Mat by_itself = changed_pixels(info_, before.get(), drawn_out.get());
  const cv::Mat by_downstream = changed_pixels(info_, before.get(), blended.get());
  EXPECT_GT(cv::countNonZero(by_itself), 500);
  cv::Mat different;
  cv::bitwise_xor(by_itself, by_downstream, different);
  EXPECT_LT(cv::countNonZero(different), cv::countNonZero(by_itself) / 5);
}

TEST_F(FerOverlayAttached, DrawsWhereDownstreamSaysOnlyHalf) {
  for (const auto& [by_caps, by_allocation] : {std::pair(false, true), std::pair(true, false)}) {
    play_before_blender(by_caps, by_allocation);
    const BufferPtr before = frame();
    const BufferPtr out = pass(with_faces(frame(), info_, {face_at(0.3, 0.3, 0.3, 0.4, 1)}));
    EXPECT_GT(cv::countNonZero(changed_pixels(info_, before.get(), out.get())), 100);
    EXPECT_EQ(gst_buffer_get_video_overlay_composition_meta(out.get()), nullptr);
  }
}

TEST_F(FerOverlayAttached, NothingToDrawAttachesNothing) {
  play_before_blender();
  const BufferPtr out = pass(with_faces(frame(), info_, {}));
  EXPECT_EQ(gst_buffer_get_video_overlay_composition_meta(out.get()), nullptr);
}

// --- What is drawn.

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

// --- Properties and states.

TEST_F(FerOverlay, PropertiesCanBeReadBack) {
  const ElementPtr overlay = make_element("feroverlay");
  g_object_set(overlay.get(), "font", "Serif 9", "font-size", 12.5, "show-box", FALSE, "show-label",
               FALSE, "show-bars", FALSE, "show-landmarks", TRUE, "show-id", FALSE, "color-box", 1u,
               "color-text", 2u, "color-background", 3u, "line-width", 4.5, "smoothing", 0.25,
               nullptr);
  EXPECT_EQ(property<std::string>(overlay.get(), "font"), "Serif 9");
  EXPECT_EQ(property<gdouble>(overlay.get(), "font-size"), 12.5);
  for (const char* name : {"show-box", "show-label", "show-bars", "show-id"}) {
    EXPECT_FALSE(property<gboolean>(overlay.get(), name)) << name;
  }
  EXPECT_TRUE(property<gboolean>(overlay.get(), "show-landmarks"));
  EXPECT_EQ(property<guint>(overlay.get(), "color-box"), 1u);
  EXPECT_EQ(property<guint>(overlay.get(), "color-text"), 2u);
  EXPECT_EQ(property<guint>(overlay.get(), "color-background"), 3u);
  EXPECT_EQ(property<gdouble>(overlay.get(), "line-width"), 4.5);
  EXPECT_EQ(property<gdouble>(overlay.get(), "smoothing"), 0.25);
  EXPECT_EQ(stat(overlay.get(), "frames"), 0);
}

TEST_F(FerOverlay, PropertiesCanBeControlled) {
  play("GRAY8", {320, 240}, {{"show-label", "false"}, {"show-bars", "false"}});
  GstControlSource* source = gst_interpolation_control_source_new();
  g_object_set(source, "mode", GST_INTERPOLATION_MODE_LINEAR, nullptr);
  auto* values = GST_TIMED_VALUE_CONTROL_SOURCE(source);
  gst_timed_value_control_source_set(values, 0, 2);
  gst_timed_value_control_source_set(values, GST_SECOND, 20);
  ASSERT_TRUE(gst_object_add_control_binding(
      GST_OBJECT(element()),
      gst_direct_control_binding_new_absolute(GST_OBJECT(element()), "line-width", source)));
  gst_object_unref(source);
  const FaceRecord face = face_at(0.2, 0.2, 0.6, 0.6, 1);
  const int thin = cv::countNonZero(drawn({face}, 0));
  EXPECT_EQ(property<gdouble>(element(), "line-width"), 2);
  const int thick = cv::countNonZero(drawn({face}, 30));
  EXPECT_EQ(property<gdouble>(element(), "line-width"), 20);
  EXPECT_GT(thick, 4 * thin) << "the frame is drawn with the value of its own time";
}

TEST_F(FerOverlay, EveryPropertyButTheFontIsControllable) {
  const ElementPtr overlay = make_element("feroverlay");
  for (const char* name :
       {"font-size", "show-box", "show-label", "show-bars", "show-landmarks", "show-id",
        "color-box", "color-text", "color-background", "line-width", "smoothing"}) {
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(overlay.get()), name);
    EXPECT_TRUE(spec->flags & GST_PARAM_CONTROLLABLE) << name;
    EXPECT_TRUE(spec->flags & GST_PARAM_MUTABLE_PLAYING) << name;
  }
}

TEST_F(FerOverlay, FollowsCapsMidStream) {
  play();
  int number = 0;
  for (const std::string format : {"NV12", "BGR", "GRAY8", "I420"}) {
    for (const cv::Size size : {cv::Size(320, 240), cv::Size(161, 91)}) {
      set_caps(format, size);
      EXPECT_GT(
          cv::countNonZero(drawn({with_expression(face_at(0.3, 0.3, 0.4, 0.4, 1), 1)}, number++)),
          50)
          << format << size;
    }
  }
}

TEST_F(FerOverlay, RefusesCapsThatItCannotDrawOn) {
  play();
  harness_->set_caps(video_caps("AYUV64", 64, 64));
  EXPECT_EQ(harness_->push(BufferPtr(gst_buffer_new_allocate(nullptr, 64 * 64 * 2, nullptr))),
            GST_FLOW_NOT_NEGOTIATED);
}

TEST_F(FerOverlay, StateCycles) {
  const ElementPtr overlay = make_element("feroverlay");
  for (int i = 0; i < 5; ++i) {
    for (const GstState state : {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING,
                                 GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL}) {
      EXPECT_NE(gst_element_set_state(overlay.get(), state), GST_STATE_CHANGE_FAILURE);
    }
  }
}

TEST_F(FerOverlay, LateFramesAreDroppedAndEosPasses) {
  play("I420", {64, 48});
  drawn({face_at(0, 0, 1, 1)}, 0);
  // Downstream says: what has a running time before 3 s comes too late.
  ASSERT_TRUE(harness_->push_upstream_event(
      gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, GST_SECOND, 2 * GST_SECOND)));
  EXPECT_EQ(harness_->push(frame(35)), GST_FLOW_OK);
  EXPECT_FALSE(harness_->try_pull());
  EXPECT_EQ(harness_->push(frame(200)), GST_FLOW_OK);
  EXPECT_TRUE(harness_->try_pull());
  EXPECT_TRUE(harness_->push_event(gst_event_new_eos()));
  EXPECT_EQ(harness_->events(GST_EVENT_EOS).size(), 1u);
}

TEST_F(FerOverlay, PropertiesMayChangeWhileItPlays) {
  const ElementPtr pipeline = parse_pipeline(
      "videotestsrc num-buffers=60 ! video/x-raw,format=I420,width=320,height=240 ! "
      "feroverlay name=overlay ! fakesink");
  // Faces come from a probe, as no analyser is needed for that.
  const ElementPtr overlay(gst_bin_get_by_name(GST_BIN(pipeline.get()), "overlay"));
  const PadPtr sink(gst_element_get_static_pad(overlay.get(), "sink"));
  gst_pad_add_probe(
      sink.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad* pad, GstPadProbeInfo* probe, gpointer) {
        GstElement* element = GST_ELEMENT(GST_PAD_PARENT(pad));
        static guint count = 0;
        ++count;
        g_object_set(element, "font-size", 8. + count % 20, "color-box", 0xff000000 | count,
                     "show-bars", static_cast<gboolean>(count % 2), "font",
                     count % 3 == 0 ? "Serif" : "Sans", nullptr);
        GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(probe));
        const GstVideoInfo info = video_info("I420", 320, 240);
        face_meta_write(buffer, info, {with_expression(face_at(0.3, 0.3, 0.3, 0.3, 1), 1)});
        probe->data = buffer;
        return GST_PAD_PROBE_OK;
      },
      nullptr, nullptr);
  play_to_end(pipeline.get());
  EXPECT_EQ(stat(overlay.get(), "drawn"), 60);
}

}  // namespace
}  // namespace fer
