#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <tuple>

#include "data/drawn_face.h"
#include "detector_models.h"
#include "element_test.h"
#include "face-geometry.h"
#include "video-frame.h"
#include "vision/align.h"

namespace fer {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const cv::Size kOddSize(321, 241);
const std::vector<std::string> kCropFormats = {"RGB", "BGR", "RGBx", "BGRx", "GRAY8"};

struct Drawing {
  cv::Mat picture;
  FaceRecord face;
};

/// A drawn face and what a detector would say of it. Drawing takes a while, so that it is done
/// once.
const Drawing& drawing() {
  static const Drawing drawing = [] {
    Drawing made{drawn_background(kOddSize), {}};
    const DrawnFace drawn =
        draw_face_at(made.picture, {.centre = {150, 120}, .height = 140, .tilt = 12});
    TrackedFace face;
    face.box = drawn.box;
    face.landmarks = drawn.landmarks;
    face.score = 0.875f;
    face.track_id = 7;
    made.face = face_record(face, {kOddSize.width, kOddSize.height});
    return made;
  }();
  return drawing;
}

FaceRecord face_at(double x, guint64 track_id, double confidence = 0.9, double size = 0.25) {
  FaceRecord face;
  face.x = x;
  face.y = 0.25;
  face.w = face.h = size;
  face.confidence = confidence;
  face.track_id = track_id;
  return face;
}

/// The crop as the library makes it of the frame, in BGR or grey.
cv::Mat expected_crop(GstBuffer* frame, const std::string& format, const CropSpec& spec) {
  const GstVideoInfo info = video_info(format, kOddSize.width, kOddSize.height);
  const MappedFrame mapped(info, frame, GST_MAP_READ);
  cv::Mat crop;
  crop_face(mapped.view(), face_in_pixels(drawing().face, {kOddSize.width, kOddSize.height}), spec,
            crop);
  if (!spec.grey) cv::cvtColor(crop, crop, cv::COLOR_RGB2BGR);
  return crop;
}

class FerCrop : public testing::Test {
 protected:
  /// An element that plays, whose frames are the drawing's size in this format, and whose crops are
  /// as `downstream` says.
  void play(const Properties& properties = {}, const std::string& downstream = "",
            const std::string& format = "I420") {
    harness_ = std::make_unique<Harness>(make_element("fercrop", properties));
    if (!downstream.empty()) harness_->set_downstream_caps(downstream);
    set_caps(format, kOddSize);
  }

  void set_caps(const std::string& format, cv::Size size) {
    format_ = format;
    size_ = size;
    harness_->set_caps(video_caps(format, size.width, size.height));
  }

  GstElement* element() { return harness_->element(); }

  /// A frame with the drawn picture, or an even one, and these faces.
  BufferPtr frame(const std::vector<FaceRecord>& faces, int number = 0) const {
    BufferPtr buffer = make_frame(size_ == kOddSize ? drawing().picture : drawn_background(size_),
                                  format_, Layout::kPacked, number);
    face_meta_write(buffer.get(), video_info(format_, size_.width, size_.height), faces);
    return buffer;
  }

  std::vector<BufferPtr> crops_of(BufferPtr buffer) {
    EXPECT_EQ(harness_->push(std::move(buffer)), GST_FLOW_OK);
    std::vector<BufferPtr> crops;
    while (BufferPtr crop = harness_->try_pull()) crops.push_back(std::move(crop));
    return crops;
  }

  GstVideoInfo crop_info() {
    const PadPtr pad(gst_element_get_static_pad(element(), "src"));
    const CapsPtr caps(gst_pad_get_current_caps(pad.get()));
    GstVideoInfo info;
    gst_video_info_init(&info);
    EXPECT_TRUE(caps && gst_video_info_from_caps(&info, caps.get()));
    return info;
  }

  std::string format_;
  cv::Size size_;
  std::unique_ptr<Harness> harness_;
};

// --- Pixels.

class FerCropFormats : public FerCrop,
                       public testing::WithParamInterface<std::tuple<std::string, std::string>> {};

TEST_P(FerCropFormats, CropsAreTheLibrarys) {
  const auto& [format, crop_format] = GetParam();
  play({}, video_caps(crop_format, 53, 37) + ",framerate=0/1", format);
  for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
    BufferPtr buffer = make_frame(drawing().picture, format, layout);
    const cv::Mat expected = expected_crop(
        buffer.get(), format, {.width = 53, .height = 37, .grey = crop_format == "GRAY8"});
    face_meta_write(buffer.get(), video_info(format, kOddSize.width, kOddSize.height),
                    {drawing().face});
    const std::vector<std::uint8_t> bytes = bytes_of(buffer.get());
    const BufferPtr kept(gst_buffer_ref(buffer.get()));
    const auto crops = crops_of(std::move(buffer));
    ASSERT_THAT(crops, SizeIs(1));
    EXPECT_EQ(bytes_of(kept.get()), bytes) << "the frame itself is left alone";
    const GstVideoInfo info = crop_info();
    ASSERT_EQ(std::string(GST_VIDEO_INFO_NAME(&info)), crop_format);
    const cv::Mat crop = picture_of(crops[0].get(), info);
    ASSERT_EQ(crop.size(), cv::Size(53, 37));
    EXPECT_EQ(cv::norm(crop, expected, cv::NORM_INF), 0);
    EXPECT_GT(cv::norm(crop, cv::Mat(crop.size(), crop.type(), cv::mean(crop)), cv::NORM_INF), 50);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, FerCropFormats,
                         testing::Combine(testing::ValuesIn(video_formats()),
                                          testing::ValuesIn(kCropFormats)),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_to_" + std::get<1>(info.param);
                         });

TEST_F(FerCrop, FacesAtTheBorderAreCroppedToo) {
  play({}, video_caps("GRAY8", 32, 32) + ",framerate=0/1");
  EXPECT_THAT(crops_of(frame({face_at(0, 1), face_at(0.75, 2), face_at(0.999, 3, 0.9, 0.001)})),
              SizeIs(3));
  EXPECT_EQ(stat(element(), "failed"), 0);
}

TEST_F(FerCrop, FindsItsFacesBehindFerdetect) {
  const auto best = landmark_detector_path(), detector = best.empty() ? haar_path() : best;
  if (detector.empty()) GTEST_SKIP() << "no face detector is here";
  const ElementPtr pipeline = parse_pipeline(
      "appsrc name=in format=time caps=" + video_caps("NV12", kOddSize.width, kOddSize.height) +
      " ! ferdetect model=" + detector.string() + " ! fercrop ! appsink name=out sync=false");
  const ElementPtr in(gst_bin_get_by_name(GST_BIN(pipeline.get()), "in"));
  const ElementPtr out(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const BufferPtr buffer = make_frame(drawing().picture, "NV12");
  GstFlowReturn flow = GST_FLOW_ERROR;
  g_signal_emit_by_name(in.get(), "push-buffer", buffer.get(), &flow);
  g_signal_emit_by_name(in.get(), "end-of-stream", &flow);
  GstSample* sample = nullptr;
  g_signal_emit_by_name(out.get(), "pull-sample", &sample);
  ASSERT_NE(sample, nullptr);
  EXPECT_EQ(faces_of(gst_sample_get_buffer(sample)).at(0).track_id, 1u);
  gst_sample_unref(sample);
  g_signal_emit_by_name(out.get(), "pull-sample", &sample);
  EXPECT_EQ(sample, nullptr) << "one face, one crop";
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

// --- What a crop carries.

TEST_F(FerCrop, TheFaceIsTheWholeCrop) {
  play();
  FaceRecord face = drawing().face;
  face.expression = Expression{"anger", 1, {0.25f, 0.75f}, {"fear", "anger"}, "trial", 2};
  const auto crops = crops_of(frame({face}));
  ASSERT_THAT(crops, SizeIs(1));
  const auto faces = faces_of(crops[0].get());
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_EQ(faces[0].x, 0);
  EXPECT_EQ(faces[0].y, 0);
  EXPECT_EQ(faces[0].w, 1);
  EXPECT_EQ(faces[0].h, 1);
  EXPECT_EQ(faces[0].track_id, 7u);
  EXPECT_DOUBLE_EQ(faces[0].confidence, 0.875);
  ASSERT_TRUE(faces[0].expression);
  EXPECT_EQ(faces[0].expression->label, "anger");
  // Its region is the crop's, not the frame's.
  gpointer state = nullptr;
  GstMeta* meta = gst_buffer_iterate_meta_filtered(crops[0].get(), &state,
                                                   GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
  ASSERT_NE(meta, nullptr);
  EXPECT_EQ(reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta)->w, 112u);
  EXPECT_EQ(gst_buffer_iterate_meta_filtered(crops[0].get(), &state,
                                             GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE),
            nullptr);
}

TEST_F(FerCrop, LandmarksLieOnTheTemplate) {
  for (const auto& [name, align_template] :
       {std::pair("fer", AlignTemplate::kFer), std::pair("arcface", AlignTemplate::kArcFace)}) {
    for (const double margin : {0., 0.2}) {
      SCOPED_TRACE(testing::Message() << name << " with margin " << margin);
      play({{"template", name}, {"margin", std::to_string(margin)}},
           video_caps("RGB", 100, 80) + ",framerate=0/1");
      const auto crops = crops_of(frame({drawing().face}));
      ASSERT_THAT(crops, SizeIs(1));
      const auto faces = faces_of(crops[0].get());
      ASSERT_TRUE(faces.at(0).landmarks);
      const Landmarks expected = template_landmarks({.align_template = align_template,
                                                     .width = 100,
                                                     .height = 80,
                                                     .margin = static_cast<float>(margin)});
      for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_NEAR((*faces[0].landmarks)[2 * i] * 100, static_cast<double>(expected[i].x), 4);
        EXPECT_NEAR((*faces[0].landmarks)[2 * i + 1] * 80, static_cast<double>(expected[i].y), 4);
      }
    }
  }
}

TEST_F(FerCrop, FacesWithoutLandmarksHaveNoneOnTheirCrop) {
  play();
  const auto crops = crops_of(frame({face_at(0.25, 1)}));
  ASSERT_THAT(crops, SizeIs(1));
  EXPECT_FALSE(faces_of(crops[0].get()).at(0).landmarks);
}

TEST_F(FerCrop, CropsHaveTheFramesTimes) {
  play();
  BufferPtr buffer = frame({face_at(0.1, 1), face_at(0.6, 2)}, 5);
  const GstClockTime time = GST_BUFFER_PTS(buffer.get()),
                     duration = GST_BUFFER_DURATION(buffer.get());
  GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  const CapsPtr clock(gst_caps_new_empty_simple("timestamp/x-test"));
  gst_buffer_add_reference_timestamp_meta(buffer.get(), clock.get(), 77, GST_CLOCK_TIME_NONE);
  const auto crops = crops_of(std::move(buffer));
  ASSERT_THAT(crops, SizeIs(2));
  for (const BufferPtr& crop : crops) {
    EXPECT_EQ(GST_BUFFER_PTS(crop.get()), time);
    EXPECT_EQ(GST_BUFFER_DURATION(crop.get()), duration);
    const auto* reference = gst_buffer_get_reference_timestamp_meta(crop.get(), clock.get());
    ASSERT_NE(reference, nullptr);
    EXPECT_EQ(reference->timestamp, 77u);
  }
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(crops[0].get(), GST_BUFFER_FLAG_DISCONT));
  EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(crops[1].get(), GST_BUFFER_FLAG_DISCONT));
}

// --- How many.

TEST_F(FerCrop, EveryFaceIsOneBuffer) {
  play({}, video_caps("GRAY8", 24, 24) + ",framerate=0/1");
  std::vector<FaceRecord> faces;
  for (guint64 id = 1; id <= 50; ++id) {
    faces.push_back(face_at(0.015 * static_cast<double>(id - 1), id));
  }
  for (int number = 0; number < 2; ++number) {
    const auto crops = crops_of(frame(faces, number));
    ASSERT_THAT(crops, SizeIs(50));
    for (std::size_t i = 0; i < 50; ++i) {
      EXPECT_EQ(faces_of(crops[i].get()).at(0).track_id, i + 1) << "in the record's order";
    }
  }
  EXPECT_EQ(stat(element(), "frames"), 2);
  EXPECT_EQ(stat(element(), "crops"), 100);
  EXPECT_THAT(harness_->events(GST_EVENT_GAP), IsEmpty());
}

TEST_F(FerCrop, AFrameWithoutFacesIsAGap) {
  play();
  EXPECT_THAT(crops_of(frame({}, 3)), IsEmpty());
  const auto gaps = harness_->events(GST_EVENT_GAP);
  ASSERT_THAT(gaps, SizeIs(1));
  GstClockTime time = 0, duration = 0;
  gst_event_parse_gap(gaps[0].get(), &time, &duration);
  EXPECT_EQ(time, 100 * GST_MSECOND);
  EXPECT_EQ(duration, GST_SECOND / 30);
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FerCrop, WithoutARecordItSaysSoOnce) {
  play();
  for (int number = 0; number < 3; ++number) {
    EXPECT_THAT(crops_of(make_frame(drawing().picture, "I420", Layout::kPacked, number)),
                IsEmpty());
  }
  EXPECT_THAT(harness_->events(GST_EVENT_GAP), SizeIs(3));
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("ferdetect"));
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FerCrop, GapBuffersAreGaps) {
  play();
  BufferPtr gap = frame({face_at(0.25, 1)});
  GST_BUFFER_FLAG_SET(gap.get(), GST_BUFFER_FLAG_GAP);
  EXPECT_THAT(crops_of(std::move(gap)), IsEmpty());
  EXPECT_THAT(harness_->events(GST_EVENT_GAP), SizeIs(1));
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FerCrop, UnreadableFramesAreGapsWithOneWarning) {
  play();
  for (int number = 0; number < 3; ++number) {
    BufferPtr cut = frame({face_at(0.25, 1)}, number);
    gst_buffer_set_size(cut.get(), 1000);
    EXPECT_THAT(crops_of(std::move(cut)), IsEmpty());
  }
  EXPECT_EQ(stat(element(), "failed"), 3);
  EXPECT_THAT(harness_->events(GST_EVENT_GAP), SizeIs(3));
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 1);
  EXPECT_THAT(crops_of(frame({face_at(0.25, 1)}, 3)), SizeIs(1)) << "and it goes on";
}

TEST_F(FerCrop, LeavesOutSmallFacesAndKeepsTheSurest) {
  play({{"min-face-size", "40"}, {"max-faces", "2"}});
  // 0.15 of the height are 36 pixels.
  const auto crops = crops_of(frame({face_at(0.1, 1, 0.7), face_at(0.2, 2, 0.99, 0.15),
                                     face_at(0.3, 3, 0.9), face_at(0.4, 4, 0.8)}));
  ASSERT_THAT(crops, SizeIs(2));
  EXPECT_EQ(faces_of(crops[0].get()).at(0).track_id, 3u);
  EXPECT_EQ(faces_of(crops[1].get()).at(0).track_id, 4u);
  EXPECT_EQ(stat(element(), "left-out"), 2);
  g_object_set(element(), "min-face-size", 200u, nullptr);
  EXPECT_THAT(crops_of(frame({face_at(0.1, 1)}, 1)), IsEmpty());
  EXPECT_THAT(harness_->events(GST_EVENT_GAP), SizeIs(1));
}

// --- Caps and buffers.

/// The caps that come out for frames in `format` where downstream takes `downstream`.
std::string negotiated(const std::string& format, const std::string& downstream) {
  Harness harness(make_element("fercrop"));
  if (!downstream.empty()) harness.set_downstream_caps(downstream);
  harness.set_caps(video_caps(format, 320, 240));
  BufferPtr buffer = make_frame(drawn_background({320, 240}), format);
  face_meta_write(buffer.get(), video_info(format, 320, 240), {face_at(0.25, 1)});
  if (harness.push(std::move(buffer)) != GST_FLOW_OK) return "not negotiated";
  const PadPtr pad(gst_element_get_static_pad(harness.element(), "src"));
  const CapsPtr caps(gst_pad_get_current_caps(pad.get()));
  GstVideoInfo info;
  EXPECT_TRUE(gst_video_info_from_caps(&info, caps.get()));
  return std::string(GST_VIDEO_INFO_NAME(&info)) + " " +
         std::to_string(GST_VIDEO_INFO_WIDTH(&info)) + "x" +
         std::to_string(GST_VIDEO_INFO_HEIGHT(&info)) + " " +
         std::to_string(GST_VIDEO_INFO_FPS_N(&info)) + "/" +
         std::to_string(GST_VIDEO_INFO_FPS_D(&info));
}

TEST(FerCropCaps, DownstreamDecides) {
  EXPECT_EQ(negotiated("NV12", ""), "RGB 112x112 0/1");
  EXPECT_EQ(negotiated("GRAY8", ""), "GRAY8 112x112 0/1");
  EXPECT_EQ(negotiated("NV12", "video/x-raw,format=GRAY8"), "GRAY8 112x112 0/1");
  EXPECT_EQ(negotiated("RGB", "video/x-raw,format={BGRx,NV12}"), "BGRx 112x112 0/1");
  EXPECT_EQ(negotiated("RGB", "video/x-raw,width=48"), "RGB 48x48 0/1");
  EXPECT_EQ(negotiated("RGB", "video/x-raw,height=64"), "RGB 64x64 0/1");
  EXPECT_EQ(negotiated("RGB", "video/x-raw,width=48,height=64"), "RGB 48x64 0/1");
  EXPECT_EQ(negotiated("RGB", "video/x-raw,width=[200,300],height=[200,300]"), "RGB 200x200 0/1");
  EXPECT_EQ(negotiated("RGB", "video/x-raw,framerate=30/1"), "RGB 112x112 30/1");
  EXPECT_EQ(negotiated("RGB", "video/x-raw,framerate=25/1"), "not negotiated");
  EXPECT_EQ(negotiated("RGB", "video/x-raw,format=NV12"), "not negotiated");
}

TEST(FerCropCaps, OpenFrameRatesStayOpen) {
  for (const std::string rate : {"[0/1,2147483647/1]", "[1/1,60/1]", "{25/1,30/1}", "30/1"}) {
    const ElementPtr pipeline = parse_pipeline(
        "capsfilter caps=video/x-raw,format=RGB,framerate=" + rate + " ! fercrop name=crop");
    const ElementPtr crop(gst_bin_get_by_name(GST_BIN(pipeline.get()), "crop"));
    const PadPtr pad(gst_element_get_static_pad(crop.get(), "src"));
    const CapsPtr all(gst_pad_get_pad_template_caps(pad.get()));
    const CapsPtr found(gst_pad_query_caps(pad.get(), all.get()));
    // Else the base class warns that they are "not a real subset".
    EXPECT_TRUE(gst_caps_is_subset(found.get(), all.get())) << rate;
    for (const char* possible : {"0/1", "30/1"}) {
      const CapsPtr caps(
          gst_caps_from_string(("video/x-raw,framerate=" + std::string(possible)).c_str()));
      EXPECT_TRUE(gst_caps_can_intersect(found.get(), caps.get())) << rate << ", " << possible;
    }
  }
}

TEST_F(FerCrop, FollowsNewCapsMidStream) {
  play();
  EXPECT_THAT(crops_of(frame({face_at(0.25, 1)})), SizeIs(1));
  set_caps("BGRA", {64, 48});
  const auto crops = crops_of(frame({face_at(0.25, 1), face_at(0.5, 2)}, 1));
  ASSERT_THAT(crops, SizeIs(2));
  EXPECT_EQ(picture_of(crops[0].get(), crop_info()).size(), cv::Size(112, 112));
  // And on the other side.
  harness_->set_downstream_caps("video/x-raw,format=GRAY8,width=40,height=40");
  harness_->push_upstream_event(gst_event_new_reconfigure());
  const auto small = crops_of(frame({face_at(0.25, 1)}, 2));
  ASSERT_THAT(small, SizeIs(1));
  EXPECT_EQ(picture_of(small[0].get(), crop_info()).size(), cv::Size(40, 40));
}

TEST_F(FerCrop, CropsComeFromAPool) {
  play();
  const auto crops = crops_of(frame({face_at(0.25, 1)}));
  ASSERT_THAT(crops, SizeIs(1));
  EXPECT_NE(crops[0]->pool, nullptr);
}

TEST_F(FerCrop, OffersUpstreamToKeepItsStrides) {
  play();
  EXPECT_THAT(crops_of(frame({})), IsEmpty());
  const CapsPtr caps(
      gst_caps_from_string(video_caps("I420", kOddSize.width, kOddSize.height).c_str()));
  const QueryPtr query(gst_query_new_allocation(caps.get(), TRUE));
  const PadPtr pad(gst_element_get_static_pad(element(), "sink"));
  ASSERT_TRUE(gst_pad_query(pad.get(), query.get()));
  EXPECT_TRUE(gst_query_find_allocation_meta(query.get(), GST_VIDEO_META_API_TYPE, nullptr));
  EXPECT_GT(gst_query_get_n_allocation_pools(query.get()), 0u);
}

// --- Properties.

TEST(FerCropProperties, HaveTheirDefaultsAndRanges) {
  const ElementPtr element = make_element("fercrop");
  EXPECT_EQ(property<gint>(element.get(), "template"), static_cast<gint>(AlignTemplate::kFer));
  EXPECT_DOUBLE_EQ(property<double>(element.get(), "margin"), 0);
  EXPECT_EQ(property<guint>(element.get(), "min-face-size"), 0u);
  EXPECT_EQ(property<guint>(element.get(), "max-faces"), 0u);
  EXPECT_EQ(stat(element.get(), "frames"), 0);
  for (const char* name : {"margin", "min-face-size", "max-faces"}) {
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), name);
    ASSERT_NE(spec, nullptr) << name;
    EXPECT_TRUE(spec->flags & GST_PARAM_CONTROLLABLE) << name;
    GValue value = G_VALUE_INIT;
    g_value_init(&value, spec->value_type);
    gst_value_deserialize(&value, "100000");
    EXPECT_TRUE(g_param_value_validate(spec, &value)) << name << " has no upper end";
    g_value_unset(&value);
  }
}

TEST(FerCropProperties, AreReadAsTheyWereSet) {
  const ElementPtr element = make_element(
      "fercrop",
      {{"template", "arcface"}, {"margin", "0.25"}, {"min-face-size", "31"}, {"max-faces", "4"}});
  EXPECT_EQ(property<gint>(element.get(), "template"), static_cast<gint>(AlignTemplate::kArcFace));
  EXPECT_DOUBLE_EQ(property<double>(element.get(), "margin"), 0.25);
  EXPECT_EQ(property<guint>(element.get(), "min-face-size"), 31u);
  EXPECT_EQ(property<guint>(element.get(), "max-faces"), 4u);
}

// --- States, events, queries.

TEST_F(FerCrop, MayBeStoppedAndStartedAgain) {
  play();
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(crops_of(frame({face_at(0.25, 1)}, i)), SizeIs(1));
    EXPECT_EQ(stat(element(), "crops"), 1) << "since this start";
    ASSERT_EQ(gst_element_set_state(element(), i % 2 == 0 ? GST_STATE_READY : GST_STATE_NULL),
              GST_STATE_CHANGE_SUCCESS);
    ASSERT_NE(gst_element_set_state(element(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    harness_->push_event(gst_event_new_stream_start("again"));
    harness_->set_caps(video_caps("I420", kOddSize.width, kOddSize.height));
  }
}

TEST_F(FerCrop, GoesOnAfterAFlush) {
  play();
  EXPECT_THAT(crops_of(frame({face_at(0.25, 1)})), SizeIs(1));
  EXPECT_TRUE(harness_->push_event(gst_event_new_flush_start()));
  EXPECT_EQ(harness_->push(frame({face_at(0.25, 1)}, 1)), GST_FLOW_FLUSHING);
  EXPECT_TRUE(harness_->push_event(gst_event_new_flush_stop(TRUE)));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  EXPECT_TRUE(harness_->push_event(gst_event_new_segment(&segment)));
  EXPECT_THAT(crops_of(frame({face_at(0.25, 1), face_at(0.5, 2)}, 2)), SizeIs(2));
}

TEST_F(FerCrop, StopsInTheMiddleOfAFrameWhereDownstreamDoes) {
  const ElementPtr pipeline = parse_pipeline(
      "appsrc name=in format=time caps=" + video_caps("I420", kOddSize.width, kOddSize.height) +
      " ! fercrop name=c ! identity eos-after=2 ! fakesink sync=false");
  const ElementPtr in(gst_bin_get_by_name(GST_BIN(pipeline.get()), "in"));
  const ElementPtr crop(gst_bin_get_by_name(GST_BIN(pipeline.get()), "c"));
  Messages messages(pipeline.get());
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  format_ = "I420";
  size_ = kOddSize;
  const BufferPtr buffer = frame({face_at(0.1, 1), face_at(0.2, 2), face_at(0.3, 3)});
  GstFlowReturn flow = GST_FLOW_ERROR;
  g_signal_emit_by_name(in.get(), "push-buffer", buffer.get(), &flow);
  EXPECT_TRUE(messages.wait(GST_MESSAGE_EOS));
  EXPECT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  EXPECT_LT(stat(crop.get(), "crops"), 3);
}

TEST_F(FerCrop, PassesSegmentsAndTheEndOfTheStream) {
  play();
  harness_->events();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = GST_SECOND;
  EXPECT_TRUE(harness_->push_event(gst_event_new_segment(&segment)));
  EXPECT_THAT(harness_->events(GST_EVENT_SEGMENT), SizeIs(1));
  EXPECT_TRUE(harness_->push_event(gst_event_new_eos()));
  EXPECT_THAT(harness_->events(GST_EVENT_EOS), SizeIs(1));
}

TEST_F(FerCrop, AddsNoLatency) {
  play();
  gst_harness_set_upstream_latency(harness_->get(), 40 * GST_MSECOND);
  EXPECT_EQ(gst_harness_query_latency(harness_->get()), 40 * GST_MSECOND);
}

TEST_F(FerCrop, LateFramesAreDropped) {
  play();
  EXPECT_THAT(crops_of(frame({face_at(0.25, 1)})), SizeIs(1));
  harness_->push_upstream_event(
      gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, 100 * GST_MSECOND, 100 * GST_MSECOND));
  EXPECT_THAT(crops_of(frame({face_at(0.25, 1)}, 5)), IsEmpty());
  EXPECT_THAT(crops_of(frame({face_at(0.25, 1)}, 20)), SizeIs(1));
  EXPECT_EQ(stat(element(), "crops"), 2);
}

TEST_F(FerCrop, CountsWhatItDoes) {
  play();
  crops_of(frame({face_at(0.25, 1), face_at(0.5, 2)}));
  crops_of(frame({}, 1));
  EXPECT_EQ(stat(element(), "frames"), 2);
  EXPECT_EQ(stat(element(), "crops"), 2);
  EXPECT_EQ(stat(element(), "left-out"), 0);
  EXPECT_EQ(stat(element(), "failed"), 0);
  EXPECT_GT(stat(element(), "average-crop-time"), 0);
  EXPECT_GT(stat(element(), "last-crop-time"), 0);
}

}  // namespace
}  // namespace fer
