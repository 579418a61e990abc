#include <gmock/gmock.h>
#include <gst/controller/controller.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "data/drawn_face.h"
#include "detector_models.h"
#include "element_test.h"
#include "face-geometry.h"
#include "scoped.h"
#include "vision/turn_picture.h"

namespace fer {
namespace {

using namespace test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const cv::Size kOddSize(321, 241);

/// One drawn face in the middle. Drawing takes a while, so that it is done once.
const cv::Mat& face_picture() {
  static const cv::Mat picture = draw_face(kOddSize);
  return picture;
}

cv::Rect2f drawn_box(cv::Size size) {
  const float height = 0.6f * static_cast<float>(std::min(size.width, size.height));
  return {static_cast<float>(size.width) / 2 - 0.385f * height,
          static_cast<float>(size.height) / 2 - 0.5f * height, 0.77f * height, height};
}

/// `columns` x `rows` copies of one face.
cv::Mat many_faces(int columns, int rows, int side = 128) {
  static const cv::Mat face = draw_face({128, 128});
  cv::Mat tile, picture;
  cv::resize(face, tile, {side, side}, 0, 0, cv::INTER_AREA);
  cv::repeat(tile, rows, columns, picture);
  return picture;
}

cv::Rect2f box_in(const FaceRecord& face, cv::Size size) {
  return {static_cast<float>(face.x * size.width), static_cast<float>(face.y * size.height),
          static_cast<float>(face.w * size.width), static_cast<float>(face.h * size.height)};
}

std::string any_detector() {
  const auto best = landmark_detector_path();
  return (best.empty() ? haar_path() : best).string();
}

/// The element with a detector that this machine has; skipped where it has none.
class FerDetect : public testing::Test {
 protected:
  void SetUp() override {
    detector_ = any_detector();
    if (detector_.empty()) GTEST_SKIP() << "no face detector is here";
  }

  /// An element that plays, with caps of the drawn face's picture in I420.
  void play(Properties properties = {}) {
    properties.emplace_back("model", detector_);
    harness_ = std::make_unique<Harness>(make_element("ferdetect", properties));
    set_caps("I420", kOddSize);
  }

  void set_caps(const std::string& format, cv::Size size) {
    harness_->set_caps(video_caps(format, size.width, size.height));
  }

  GstElement* element() { return harness_->element(); }

  /// What comes out for a frame; null, and a failure, where nothing does.
  BufferPtr pass(BufferPtr frame) {
    EXPECT_EQ(harness_->push(std::move(frame)), GST_FLOW_OK);
    BufferPtr out = harness_->try_pull();
    EXPECT_TRUE(out);
    return out;
  }

  /// The faces that it finds in frame `number` with the drawn face.
  std::vector<FaceRecord> find(int number) {
    const BufferPtr out = pass(make_frame(face_picture(), "I420", Layout::kPacked, number));
    return out ? faces_of(out.get()) : std::vector<FaceRecord>();
  }

  guint64 find_id(int number) {
    const auto faces = find(number);
    EXPECT_THAT(faces, SizeIs(1)) << "frame " << number;
    return faces.empty() ? 0 : faces[0].track_id;
  }

  std::string detector_;
  std::unique_ptr<Harness> harness_;
};

// --- Frames as they come.

class FerDetectFormats : public FerDetect, public testing::WithParamInterface<std::string> {};

TEST_P(FerDetectFormats, FindsTheFaceAndLeavesThePixels) {
  play();
  set_caps(GetParam(), kOddSize);
  int number = 0;
  for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
    BufferPtr frame = make_frame(face_picture(), GetParam(), layout, number++);
    const std::vector<std::uint8_t> bytes = bytes_of(frame.get());
    const GstMemory* memory = gst_buffer_peek_memory(frame.get(), 0);
    const GstClockTime time = GST_BUFFER_PTS(frame.get());
    const BufferPtr out = pass(std::move(frame));
    ASSERT_TRUE(out);
    EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
    EXPECT_EQ(bytes_of(out.get()), bytes);
    EXPECT_EQ(GST_BUFFER_PTS(out.get()), time);
    const auto faces = faces_of(out.get());
    ASSERT_THAT(faces, SizeIs(1));
    EXPECT_GT(overlap(box_in(faces[0], kOddSize), drawn_box(kOddSize)), 0.5f);
    EXPECT_GE(faces[0].confidence, 0.6);
    EXPECT_EQ(faces[0].track_id, 1u);
    EXPECT_EQ(faces[0].landmarks.has_value(), detector_.ends_with(".onnx"));
  }
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
}

INSTANTIATE_TEST_SUITE_P(Formats, FerDetectFormats, testing::ValuesIn(video_formats()),
                         [](const auto& info) { return info.param; });

TEST_F(FerDetect, TakesFramesOfAnySize) {
  play();
  int number = 0;
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(3, 200), cv::Size(127, 65),
                              cv::Size(2001, 3), cv::Size(1921, 1081)}) {
    for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
      set_caps("NV12", size);
      const BufferPtr out = pass(make_frame(drawn_background(size), "NV12", layout, number++));
      ASSERT_TRUE(out);
      EXPECT_THAT(faces_of(out.get()), IsEmpty()) << size;
    }
  }
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
  EXPECT_EQ(stat(element(), "failed"), 0);
}

TEST_F(FerDetect, RefusesWhatItCannotRead) {
  play();
  harness_->set_caps(video_caps("AYUV64", 64, 64));
  EXPECT_EQ(harness_->push(BufferPtr(gst_buffer_new_allocate(nullptr, 64 * 64 * 8, nullptr))),
            GST_FLOW_NOT_NEGOTIATED);
}

TEST_F(FerDetect, SharedBuffersGetNoMetadata) {
  play();
  BufferPtr frame = make_frame(face_picture(), "I420");
  const BufferPtr shared(gst_buffer_ref(frame.get()));
  const BufferPtr out = pass(std::move(frame));
  ASSERT_TRUE(out);
  EXPECT_THAT(faces_of(out.get()), SizeIs(1));
  EXPECT_EQ(face_meta_read(shared.get()), std::nullopt);
  // Only the metadata is its own.
  EXPECT_NE(out.get(), shared.get());
  EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), gst_buffer_peek_memory(shared.get(), 0));
}

TEST_F(FerDetect, AsksForFramesThatAreCropped) {
  Harness harness(make_element("ferdetect", {{"model", detector_}}));
  const OfferedMetas offered = offered_metas(harness, video_caps("I420", 64, 48));
  EXPECT_TRUE(offered.video);
  EXPECT_FALSE(offered.crop);
}

TEST_F(FerDetect, TakesAStreamThatIsNotMeasuredInTime) {
  play();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  harness_->push_event(gst_event_new_segment(&segment));
  // Downstream has complained, so that lateness is asked for.
  harness_->push_upstream_event(gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, GST_SECOND, 0));
  EXPECT_THAT(find(0), SizeIs(1));
  EXPECT_THAT(find(1), SizeIs(1));
}

TEST_F(FerDetect, NoFacesGiveAnEmptyRecord) {
  play();
  const BufferPtr out = pass(make_frame(drawn_background(kOddSize), "I420"));
  ASSERT_TRUE(out);
  EXPECT_THAT(faces_of(out.get()), IsEmpty());
}

TEST_F(FerDetect, ReplacesEarlierFaces) {
  play();
  BufferPtr frame = make_frame(face_picture(), "I420");
  FaceRecord earlier;
  earlier.x = earlier.y = 0.01;
  earlier.w = earlier.h = 0.02;
  face_meta_write(frame.get(), video_info("I420", kOddSize.width, kOddSize.height),
                  {earlier, earlier});
  const BufferPtr out = pass(std::move(frame));
  ASSERT_TRUE(out);
  const auto faces = faces_of(out.get());
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_GT(faces[0].w, 0.2);
}

TEST_F(FerDetect, FindsFiftyFaces) {
  play({{"detect-width", "0"}});
  const cv::Mat picture = many_faces(10, 5);
  set_caps("NV12", picture.size());
  std::set<guint64> ids;
  for (int number = 0; number < 3; ++number) {
    const BufferPtr out = pass(make_frame(picture, "NV12", Layout::kPadded, number));
    ASSERT_TRUE(out);
    const auto faces = faces_of(out.get());
    EXPECT_THAT(faces, SizeIs(50));
    for (const FaceRecord& face : faces) ids.insert(face.track_id);
  }
  EXPECT_THAT(ids, SizeIs(50));
  EXPECT_FALSE(ids.contains(0));
  EXPECT_EQ(stat(element(), "faces"), 150);
  EXPECT_EQ(stat(element(), "tracks"), 50);
}

TEST_F(FerDetect, GapBuffersPass) {
  play();
  EXPECT_EQ(find_id(0), 1u);
  BufferPtr gap = make_frame(face_picture(), "I420", Layout::kPacked, 1);
  GST_BUFFER_FLAG_SET(gap.get(), GST_BUFFER_FLAG_GAP);
  const BufferPtr out = pass(std::move(gap));
  ASSERT_TRUE(out);
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(out.get(), GST_BUFFER_FLAG_GAP));
  EXPECT_THAT(faces_of(out.get()), IsEmpty());
  EXPECT_EQ(stat(element(), "detections"), 1);
  EXPECT_EQ(find_id(2), 1u);
}

TEST_F(FerDetect, UnreadableBuffersPassWithOneWarning) {
  play();
  EXPECT_EQ(find_id(0), 1u);
  for (int number = 1; number < 4; ++number) {
    BufferPtr cut = make_frame(face_picture(), "I420", Layout::kPacked, number);
    gst_buffer_set_size(cut.get(), 1000);
    const BufferPtr out = pass(std::move(cut));
    ASSERT_TRUE(out);
    EXPECT_THAT(faces_of(out.get()), SizeIs(1)) << "the tracker predicts";
  }
  EXPECT_EQ(find_id(4), 1u);
  EXPECT_EQ(stat(element(), "failed"), 3);
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("the buffer does not hold the frame"));
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
}

// --- Following.

TEST_F(FerDetect, PredictsBetweenDetections) {
  play({{"inference-interval", "3"}});
  for (int number = 0; number < 9; ++number) EXPECT_EQ(find_id(number), 1u);
  EXPECT_EQ(stat(element(), "frames"), 9);
  EXPECT_EQ(stat(element(), "detections"), 3);
}

TEST_F(FerDetect, SmallFacesAreFollowedFromOneCloserLookToTheNext) {
  detector_ = own_detector_path().string();
  play({{"small-face-interval", "4"}});
  cv::Mat picture = test::drawn_background({640, 360});
  test::draw_face_at(picture, {{140, 180}, 200});
  test::draw_face_at(picture, {{480, 180}, 16});
  const auto count = [&](int number, const char* format) {
    const BufferPtr out = pass(make_frame(picture, format, Layout::kPacked, number));
    return out ? faces_of(out.get()).size() : 0;
  };
  set_caps("I420", picture.size());
  for (int number = 0; number < 9; ++number) EXPECT_EQ(count(number, "I420"), 2u) << number;
  EXPECT_EQ(stat(element(), "tracks"), 2);
  // A picture of another shape ends the tracks.
  g_object_set(element(), "small-face-interval", 0u, nullptr);
  picture = picture.colRange(0, 520).clone();
  set_caps("NV12", picture.size());
  EXPECT_EQ(count(9, "NV12"), 1u);
}

TEST_F(FerDetect, WithoutTrackingThereAreNoIds) {
  play({{"tracking", "false"}, {"inference-interval", "2"}});
  const auto faces = find(0);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_EQ(faces[0].track_id, 0u);
  EXPECT_THAT(find(1), IsEmpty());
  EXPECT_EQ(stat(element(), "tracks"), 0);
}

TEST_F(FerDetect, AFlushEndsTracks) {
  play({{"inference-interval", "100"}});
  EXPECT_EQ(find_id(0), 1u);
  EXPECT_TRUE(harness_->push_event(gst_event_new_flush_start()));
  EXPECT_TRUE(harness_->push_event(gst_event_new_flush_stop(TRUE)));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  EXPECT_TRUE(harness_->push_event(gst_event_new_segment(&segment)));
  EXPECT_EQ(find_id(1), 2u);
  EXPECT_EQ(stat(element(), "detections"), 2);
}

TEST_F(FerDetect, CapsThatChangeNeitherSizeNorShapeEndNothing) {
  play();
  EXPECT_EQ(find_id(0), 1u);
  const std::string caps = "video/x-raw,format=I420,width=321,height=241,framerate=";
  harness_->set_caps(caps + "15/1");
  EXPECT_EQ(find_id(1), 1u);
  harness_->set_caps(caps + "30/1,colorimetry=bt709");
  EXPECT_EQ(find_id(2), 1u);
  set_caps("BGRx", kOddSize);
  const BufferPtr out = pass(make_frame(face_picture(), "BGRx", Layout::kPacked, 3));
  ASSERT_TRUE(out);
  EXPECT_EQ(faces_of(out.get()).at(0).track_id, 1u);
  EXPECT_EQ(stat(element(), "tracks"), 1);
}

TEST_F(FerDetect, TracksGoOnInPicturesOfAnotherSizeAndTheSameShape) {
  play();
  const cv::Mat large = draw_face({640, 480});
  cv::Mat small;
  cv::resize(large, small, {320, 240}, 0, 0, cv::INTER_AREA);
  for (int number = 0; number < 6; ++number) {
    const cv::Mat& picture = number % 2 == 0 ? large : small;
    set_caps("I420", picture.size());
    const BufferPtr out = pass(make_frame(picture, "I420", Layout::kPacked, number));
    ASSERT_TRUE(out);
    const auto faces = faces_of(out.get());
    ASSERT_THAT(faces, SizeIs(1)) << number;
    EXPECT_EQ(faces[0].track_id, 1u) << number;
  }
}

TEST_F(FerDetect, ACutEndsTracks) {
  play();
  EXPECT_EQ(find_id(0), 1u);
  cv::Mat other(kOddSize, CV_8UC3, cv::Scalar(240, 240, 240));
  other.rowRange(0, 120).setTo(cv::Scalar(10, 10, 10));
  draw_face_at(other, {{160, 120}, 145});
  const BufferPtr out = pass(make_frame(other, "I420", Layout::kPacked, 1));
  ASSERT_TRUE(out);
  for (const FaceRecord& face : faces_of(out.get())) EXPECT_GT(face.track_id, 1u);
  EXPECT_EQ(stat(element(), "cuts"), 1);
}

TEST_F(FerDetect, NewCapsEndTracks) {
  play();
  EXPECT_EQ(find_id(0), 1u);
  set_caps("BGRx", {640, 480});
  const cv::Mat picture = many_faces(5, 3, 160)(cv::Rect(0, 0, 640, 480)).clone();
  const BufferPtr out = pass(make_frame(picture, "BGRx", Layout::kPadded, 1));
  ASSERT_TRUE(out);
  const auto faces = faces_of(out.get());
  EXPECT_THAT(faces, SizeIs(12));
  for (const FaceRecord& face : faces) EXPECT_GT(face.track_id, 1u);
  set_caps("I420", kOddSize);
  EXPECT_EQ(find_id(2), 14u);
}

TEST_F(FerDetect, JumpsInTimeEndTracksShortGapsDoNot) {
  play();
  EXPECT_EQ(find_id(0), 1u);
  EXPECT_EQ(find_id(20), 1u);
  EXPECT_EQ(find_id(200), 1u) << "a still face is the same";
  EXPECT_EQ(find_id(800), 2u) << "far ahead";
  EXPECT_EQ(find_id(801), 2u);
  EXPECT_EQ(find_id(799), 2u) << "jitter";
  EXPECT_EQ(find_id(100), 3u) << "back";
}

TEST_F(FerDetect, BackwardPlaybackKeepsTracks) {
  play();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.rate = -1;
  segment.stop = 10 * GST_SECOND;
  EXPECT_TRUE(harness_->push_event(gst_event_new_segment(&segment)));
  for (int number = 100; number > 95; --number) EXPECT_EQ(find_id(number), 1u);
}

TEST_F(FerDetect, WithoutTimesADiscontinuityEndsNothingByItself) {
  play();
  for (int number = 0; number < 4; ++number) {
    BufferPtr frame = make_frame(face_picture(), "I420");
    GST_BUFFER_PTS(frame.get()) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION(frame.get()) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_FLAG_SET(frame.get(), GST_BUFFER_FLAG_DISCONT);
    const BufferPtr out = pass(std::move(frame));
    ASSERT_TRUE(out);
    ASSERT_THAT(faces_of(out.get()), SizeIs(1));
    EXPECT_EQ(faces_of(out.get())[0].track_id, 1u);
  }
}

TEST_F(FerDetect, AtAFrameInTwoSecondsAFaceKeepsItsId) {
  play();
  for (int number = 0; number < 8; ++number) EXPECT_EQ(find_id(60 * number), 1u) << number;
}

// --- How the picture is to be seen.

/// The record of the drawn face in a frame that is stored stretched or turned.
class FerDetectShown : public FerDetect {
 protected:
  FaceRecord find_in(const cv::Mat& stored, const std::string& caps) {
    harness_->set_caps(video_caps("I420", stored.cols, stored.rows) + caps);
    const BufferPtr out = pass(make_frame(stored, "I420", Layout::kPacked, number_++));
    const auto faces = out ? faces_of(out.get()) : std::vector<FaceRecord>();
    EXPECT_THAT(faces, SizeIs(1));
    orientation_ = out ? face_meta_orientation(out.get()) : Orientation::kIdentity;
    return faces.empty() ? FaceRecord() : faces[0];
  }
  /// Tells the stream's orientation as demuxers do.
  void tag(const char* orientation) {
    GstTagList* tags = gst_tag_list_new(GST_TAG_IMAGE_ORIENTATION, orientation, nullptr);
    EXPECT_TRUE(harness_->push_event(gst_event_new_tag(tags)));
  }
  const cv::Mat picture_ = draw_face({480, 360});
  Orientation orientation_ = Orientation::kIdentity;
  int number_ = 0;
};

TEST_F(FerDetectShown, FindsTheSameFaceWhereverPixelsAreNotSquare) {
  play();
  const FaceRecord square = find_in(picture_, "");
  for (const auto& [size, aspect] :
       {std::pair(cv::Size(240, 360), "2/1"), std::pair(cv::Size(480, 120), "1/3"),
        std::pair(cv::Size(360, 360), "4/3")}) {
    cv::Mat stored;
    cv::resize(picture_, stored, size, 0, 0, cv::INTER_AREA);
    const FaceRecord face = find_in(stored, std::string(",pixel-aspect-ratio=") + aspect);
    // Shares of the sides are those of the square picture.
    EXPECT_GT(overlap(box_in(face, {480, 360}), box_in(square, {480, 360})), 0.85f) << aspect;
    EXPECT_EQ(face.track_id, 1u) << aspect;
  }
}

TEST_F(FerDetectShown, MeasuresFacesInSquarePixels) {
  // The box is about 0.77 of 216 pixels wide as it is shown, and half of that as it is stored.
  play({{"min-face-size", "120"}});
  cv::Mat stored;
  cv::resize(picture_, stored, {240, 360}, 0, 0, cv::INTER_AREA);
  find_in(stored, ",pixel-aspect-ratio=2/1");
}

TEST_F(FerDetectShown, TurnsThePictureAsTheTagSays) {
  play();
  const FaceRecord upright = find_in(picture_, "");
  const cv::Rect2f box = box_in(upright, {480, 360});
  const std::pair<const char*, Orientation> tags[] = {
      {"rotate-90", Orientation::k90Right},
      {"rotate-180", Orientation::k180},
      {"rotate-270", Orientation::k90Left},
      {"flip-rotate-0", Orientation::kFlipHorizontal},
      {"rotate-0", Orientation::kIdentity}};
  for (const auto& [name, turn] : tags) {
    cv::Mat stored;
    turn_picture(picture_, reversed(turn), stored);
    tag(name);
    const FaceRecord face = find_in(stored, "");
    EXPECT_EQ(orientation_, turn) << name;
    // The record is in the buffer's own coordinates, and turns into the upright one's.
    const FaceRecord shown = as_shown(face, turn);
    EXPECT_GT(overlap(box_in(shown, {480, 360}), box), 0.85f) << name;
    if (shown.landmarks && upright.landmarks) {
      EXPECT_NEAR((*shown.landmarks)[0], (*upright.landmarks)[0], 0.02) << name;
      EXPECT_NEAR((*shown.landmarks)[9], (*upright.landmarks)[9], 0.02) << name;
    }
  }
}

TEST_F(FerDetectShown, TurnsThePictureAsThePropertySays) {
  play({{"orientation", "90r"}});
  cv::Mat stored;
  cv::rotate(picture_, stored, cv::ROTATE_90_COUNTERCLOCKWISE);
  tag("rotate-180");
  find_in(stored, "");
  EXPECT_EQ(orientation_, Orientation::k90Right);
}

TEST_F(FerDetectShown, AnotherStreamIsUprightUntilItsTagsSayOtherwise) {
  play();
  tag("rotate-180");
  EXPECT_TRUE(harness_->push_event(gst_event_new_stream_start("another")));
  find_in(picture_, "");
  EXPECT_EQ(orientation_, Orientation::kIdentity);
}

// --- Settings.

TEST_F(FerDetect, SettingsTakeEffectOnTheNextFrame) {
  play({{"threshold", "1"}, {"small-face-interval", "0"}});
  EXPECT_THAT(find(0), IsEmpty());
  g_object_set(element(), "threshold", 0.6, nullptr);
  EXPECT_THAT(find(1), SizeIs(1));
  g_object_set(element(), "min-face-size", 200u, nullptr);
  EXPECT_THAT(find(2), IsEmpty());
  g_object_set(element(), "min-face-size", 50u, nullptr);
  EXPECT_THAT(find(3), SizeIs(1));
  g_object_set(element(), "detect-width", 8u, nullptr);
  EXPECT_THAT(find(4), IsEmpty());
  g_object_set(element(), "detect-width", 640u, nullptr);
  EXPECT_THAT(find(5), SizeIs(1));
  g_object_set(element(), "inference-interval", 10u, nullptr);
  find(6);
  EXPECT_EQ(stat(element(), "detections"), 6);
  g_object_set(element(), "tracking", FALSE, nullptr);
  EXPECT_THAT(find(7), IsEmpty());
}

TEST_F(FerDetect, PropertiesMayBeControlled) {
  play();
  GstControlSource* steps = gst_interpolation_control_source_new();
  g_object_set(steps, "mode", GST_INTERPOLATION_MODE_NONE, nullptr);
  gst_timed_value_control_source_set(GST_TIMED_VALUE_CONTROL_SOURCE(steps), 0, 1.0);
  gst_timed_value_control_source_set(GST_TIMED_VALUE_CONTROL_SOURCE(steps), GST_SECOND / 2, 0.5);
  ASSERT_TRUE(gst_object_add_control_binding(
      GST_OBJECT(element()),
      gst_direct_control_binding_new_absolute(GST_OBJECT(element()), "threshold", steps)));
  gst_object_unref(steps);
  EXPECT_THAT(find(0), IsEmpty());
  EXPECT_THAT(find(20), SizeIs(1));
}

TEST_F(FerDetect, KeepsTheSurestOfManyFaces) {
  play({{"max-faces", "3"}});
  const cv::Mat picture = many_faces(4, 2);
  set_caps("RGB", picture.size());
  const BufferPtr out = pass(make_frame(picture, "RGB"));
  ASSERT_TRUE(out);
  EXPECT_THAT(faces_of(out.get()), SizeIs(3));
}

TEST(FerDetectProperties, HaveTheirDefaults) {
  const ElementPtr element = make_element("ferdetect");
  EXPECT_EQ(property<std::string>(element.get(), "model"), "");
  EXPECT_DOUBLE_EQ(property<double>(element.get(), "threshold"), 0.6);
  EXPECT_EQ(property<guint>(element.get(), "min-face-size"), 0u);
  EXPECT_EQ(property<guint>(element.get(), "max-faces"), 0u);
  EXPECT_EQ(property<guint>(element.get(), "inference-interval"), 1u);
  EXPECT_EQ(property<guint>(element.get(), "detect-width"), 640u);
  EXPECT_EQ(property<guint>(element.get(), "small-face-interval"), 30u);
  EXPECT_EQ(property<gboolean>(element.get(), "tracking"), TRUE);
  EXPECT_EQ(property<gboolean>(element.get(), "qos"), TRUE);
  EXPECT_EQ(stat(element.get(), "frames"), 0);
}

TEST(FerDetectProperties, AreReadAsTheyWereSet) {
  const ElementPtr element = make_element("ferdetect", {{"model", "a/b.onnx"},
                                                        {"threshold", "0.25"},
                                                        {"min-face-size", "16384"},
                                                        {"max-faces", "5"},
                                                        {"inference-interval", "10000"},
                                                        {"detect-width", "0"},
                                                        {"small-face-interval", "9"},
                                                        {"tracking", "false"},
                                                        {"qos", "false"}});
  EXPECT_EQ(property<std::string>(element.get(), "model"), "a/b.onnx");
  EXPECT_DOUBLE_EQ(property<double>(element.get(), "threshold"), 0.25);
  EXPECT_EQ(property<guint>(element.get(), "min-face-size"), 16384u);
  EXPECT_EQ(property<guint>(element.get(), "max-faces"), 5u);
  EXPECT_EQ(property<guint>(element.get(), "inference-interval"), 10000u);
  EXPECT_EQ(property<guint>(element.get(), "detect-width"), 0u);
  EXPECT_EQ(property<guint>(element.get(), "small-face-interval"), 9u);
  EXPECT_EQ(property<gboolean>(element.get(), "tracking"), FALSE);
  EXPECT_EQ(property<gboolean>(element.get(), "qos"), FALSE);
}

TEST(FerDetectProperties, AreKeptInRange) {
  const ElementPtr element = make_element("ferdetect");
  for (const char* name : {"threshold", "min-face-size", "max-faces", "inference-interval",
                           "detect-width", "small-face-interval"}) {
    SCOPED_TRACE(name);
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), name);
    ASSERT_NE(spec, nullptr);
    EXPECT_TRUE(spec->flags & GST_PARAM_CONTROLLABLE);
    EXPECT_TRUE(spec->flags & GST_PARAM_MUTABLE_PLAYING);
    GValue value = G_VALUE_INIT;
    g_value_init(&value, spec->value_type);
    gst_value_deserialize(&value, "100000");
    EXPECT_TRUE(g_param_value_validate(spec, &value)) << "out of range, yet left as it was";
    g_value_unset(&value);
  }
}

TEST_F(FerDetect, SettingsMayChangeWhileItRuns) {
  play();
  std::atomic<bool> done = false;
  std::thread other([&] {
    for (guint i = 0; !done; ++i) {
      g_object_set(element(), "threshold", 0.3 + 0.1 * (i % 3), "max-faces", i % 4,
                   "inference-interval", 1 + i % 3, "tracking", i % 5 != 0, nullptr);
      stat(element(), "faces");
    }
  });
  for (int number = 0; number < 20; ++number) find(number);
  done = true;
  other.join();
  EXPECT_EQ(stat(element(), "frames"), 20);
}

// --- Models.

TEST(FerDetectModel, AMissingFileIsAnErrorThatNamesIt) {
  EXPECT_THAT(start_error("ferdetect", {{"model", "/nonexistent/yunet.onnx"}}),
              AllOf(HasSubstr("/nonexistent/yunet.onnx"), HasSubstr("no such file")));
}

TEST(FerDetectModel, ABrokenFileIsAnErrorThatNamesIt) {
  const ScopedFolder folder;
  for (const char* name : {"broken.onnx", "broken.xml", "broken.txt", "broken"}) {
    const auto path = folder.write(name, "this is no model");
    EXPECT_THAT(start_error("ferdetect", {{"model", path.string()}}),
                AllOf(HasSubstr(path.string()), HasSubstr("expected"), HasSubstr("found")));
  }
  EXPECT_THAT(start_error("ferdetect", {{"model", folder.path().string()}}),
              HasSubstr("a directory"));
}

TEST(FerDetectModel, TheFallbackIsToldOnceWithTheRemedy) {
  const ScopedVariable models("FER_MODELS", "/nonexistent");
  const ScopedVariable cache("XDG_CACHE_HOME", "/nonexistent");
  const ScopedVariable shipped("FER_SHIPPED_MODELS", "/nonexistent");
  if (haar_path().empty()) {
    EXPECT_THAT(start_error("ferdetect", {}),
                AllOf(HasSubstr("scripts/models"), HasSubstr("opencv-data")));
    return;
  }
  const ElementPtr element = make_element("ferdetect");
  Messages messages(element.get());
  gst_element_set_state(element.get(), GST_STATE_PAUSED);
  const MessagePtr warning = messages.wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()),
              AllOf(HasSubstr("haarcascade"), HasSubstr("scripts/models")));
  const StructurePtr stats = property<StructurePtr>(element.get(), "stats");
  EXPECT_STREQ(gst_structure_get_string(stats.get(), "detector"), "haar");
  gst_element_set_state(element.get(), GST_STATE_NULL);
  gst_element_set_state(element.get(), GST_STATE_PAUSED);
  gst_element_set_state(element.get(), GST_STATE_NULL);
  EXPECT_EQ(messages.count(GST_MESSAGE_WARNING), 0);
}

TEST(FerDetectModel, ANamedCascadeIsNoFallback) {
  if (haar_path().empty()) GTEST_SKIP() << "opencv-data is not installed";
  const ElementPtr element = make_element("ferdetect", {{"model", haar_path().string()}});
  Messages messages(element.get());
  EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state(element.get(), GST_STATE_NULL);
  EXPECT_EQ(messages.count(GST_MESSAGE_WARNING), 0);
}

TEST(FerDetectModel, YuNetIsFoundByItself) {
  if (yunet_path().empty()) GTEST_SKIP() << "no YuNet here; scripts/models gets it";
  Harness harness(make_element("ferdetect"));
  EXPECT_EQ(harness.messages().count(GST_MESSAGE_WARNING), 0);
  const StructurePtr stats = property<StructurePtr>(harness.element(), "stats");
  EXPECT_STREQ(gst_structure_get_string(stats.get(), "detector"), "yunet");
}

TEST(FerDetectModel, OurOwnIsFoundWhereThereIsNoYuNet) {
  const auto own = own_detector_path();
  if (own.empty()) GTEST_SKIP() << "this checkout has no models/face-detector.onnx";
  const ScopedVariable models("FER_MODELS", own.parent_path().string());
  Harness harness(make_element("ferdetect"));
  EXPECT_EQ(harness.messages().count(GST_MESSAGE_WARNING), 0);
  const StructurePtr stats = property<StructurePtr>(harness.element(), "stats");
  EXPECT_STREQ(gst_structure_get_string(stats.get(), "detector"), "fer");
}

// --- States, events, queries.

TEST_F(FerDetect, MayBeStoppedAndStartedAgain) {
  const ElementPtr pipeline = parse_pipeline(
      "videotestsrc num-buffers=3 ! video/x-raw,width=160,height=120 ! ferdetect name=d "
      "model=" +
      detector_ + " ! fakesink");
  const ElementPtr element(gst_bin_get_by_name(GST_BIN(pipeline.get()), "d"));
  for (int i = 0; i < 4; ++i) {
    play_to_end(pipeline.get());
    EXPECT_EQ(stat(element.get(), "frames"), 3) << "since this start";
  }
}

TEST_F(FerDetect, MayBeReadyAgainAtAnyTime) {
  play();
  EXPECT_EQ(find_id(0), 1u);
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL, GST_STATE_PAUSED, GST_STATE_NULL}) {
    ASSERT_EQ(gst_element_set_state(element(), state), GST_STATE_CHANGE_SUCCESS);
  }
}

TEST_F(FerDetect, PassesTheEndOfTheStream) {
  play();
  EXPECT_EQ(find_id(0), 1u);
  harness_->events();
  EXPECT_TRUE(harness_->push_event(gst_event_new_eos()));
  EXPECT_THAT(harness_->events(GST_EVENT_EOS), SizeIs(1));
}

TEST_F(FerDetect, PassesGapEvents) {
  play();
  EXPECT_EQ(find_id(0), 1u);
  EXPECT_TRUE(harness_->push_event(gst_event_new_gap(GST_SECOND, GST_SECOND)));
  EXPECT_THAT(harness_->events(GST_EVENT_GAP), SizeIs(1));
}

TEST_F(FerDetect, AddsNoLatency) {
  play();
  gst_harness_set_upstream_latency(harness_->get(), 40 * GST_MSECOND);
  EXPECT_EQ(gst_harness_query_latency(harness_->get()), 40 * GST_MSECOND);
}

TEST_F(FerDetect, LateFramesArePredicted) {
  play();
  EXPECT_EQ(find_id(0), 1u);
  harness_->push_upstream_event(
      gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, 100 * GST_MSECOND, 100 * GST_MSECOND));
  for (int number = 1; number <= 9; ++number) EXPECT_EQ(find_id(number), 1u);
  EXPECT_EQ(stat(element(), "detections"), 1) << "up to 300 ms all is late";
  EXPECT_EQ(stat(element(), "skipped"), 9);
  find(10);
  EXPECT_EQ(stat(element(), "detections"), 2);
}

TEST_F(FerDetect, LatenessEndsWithAFlush) {
  play();
  EXPECT_EQ(find_id(0), 1u);
  harness_->push_upstream_event(
      gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, 10 * GST_SECOND, GST_SECOND));
  find(1);
  EXPECT_EQ(stat(element(), "skipped"), 1);
  harness_->push_event(gst_event_new_flush_start());
  harness_->push_event(gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  harness_->push_event(gst_event_new_segment(&segment));
  find(2);
  find(3);
  EXPECT_EQ(stat(element(), "skipped"), 1);
  EXPECT_EQ(stat(element(), "detections"), 3);
}

TEST_F(FerDetect, QosMayBeSwitchedOff) {
  play({{"qos", "false"}});
  EXPECT_EQ(find_id(0), 1u);
  harness_->push_upstream_event(
      gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, 10 * GST_SECOND, GST_SECOND));
  EXPECT_EQ(find_id(1), 1u);
  EXPECT_EQ(stat(element(), "skipped"), 0);
  EXPECT_EQ(stat(element(), "detections"), 2);
}

TEST_F(FerDetect, CountsWhatItDoes) {
  play({{"inference-interval", "2"}});
  for (int number = 0; number < 4; ++number) find(number);
  EXPECT_EQ(stat(element(), "frames"), 4);
  EXPECT_EQ(stat(element(), "detections"), 2);
  EXPECT_EQ(stat(element(), "faces"), 4);
  EXPECT_EQ(stat(element(), "tracks"), 1);
  EXPECT_EQ(stat(element(), "skipped"), 0);
  EXPECT_EQ(stat(element(), "failed"), 0);
  EXPECT_GT(stat(element(), "average-detect-time"), 0);
  EXPECT_GT(stat(element(), "last-detect-time"), 0);
}

// --- Others behind it.

TEST_F(FerDetect, FacesArriveBehindTeeConvertAndScale) {
  const ElementPtr pipeline = parse_pipeline(
      "appsrc name=in format=time caps=" + video_caps("NV12", kOddSize.width, kOddSize.height) +
      " ! ferdetect model=" + detector_ +
      " ! tee name=t ! queue ! videoconvert ! video/x-raw,format=BGRA ! appsink name=a sync=false "
      "t. ! queue ! videoscale ! video/x-raw,width=160,height=120 ! appsink name=b sync=false");
  const auto by_name = [&](const char* name) {
    return ElementPtr(gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
  };
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const BufferPtr frame = make_frame(face_picture(), "NV12");
  GstFlowReturn flow = GST_FLOW_ERROR;
  g_signal_emit_by_name(by_name("in").get(), "push-buffer", frame.get(), &flow);
  EXPECT_EQ(flow, GST_FLOW_OK);
  g_signal_emit_by_name(by_name("in").get(), "end-of-stream", &flow);
  for (const char* sink : {"a", "b"}) {
    GstSample* sample = nullptr;
    g_signal_emit_by_name(by_name(sink).get(), "pull-sample", &sample);
    ASSERT_NE(sample, nullptr) << sink;
    const auto faces = faces_of(gst_sample_get_buffer(sample));
    EXPECT_THAT(faces, SizeIs(1));
    EXPECT_GT(overlap(box_in(faces.at(0), kOddSize), drawn_box(kOddSize)), 0.5f);
    gst_sample_unref(sample);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

}  // namespace
}  // namespace fer
