#include <gmock/gmock.h>
#include <gst/controller/controller.h>
#include <gtest/gtest.h>

#include <cmath>

#include "feroverlay_fixture.h"

namespace fer {
namespace {

using namespace test;
using testing::HasSubstr;

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
