#include "data/video_faces.h"

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "content.h"
#include "data/drawn_face.h"
#include "error_of.h"
#include "files/file_kind.h"
#include "scoped.h"
#include "terminal/interrupt.h"
#include "vision/detector.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::ScopedFolder;
using testing::AllOf;
using testing::HasSubstr;

constexpr int kFrameRate = 5;

class VideoFacesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    suite_folder_ = new ScopedFolder;
  }
  static void TearDownTestSuite() { delete suite_folder_; }

  void SetUp() override {
    const DetectorModel model = find_detector_model();
    if (model.path.empty() || !model.remedy.empty())
      GTEST_SKIP() << "no face detector with landmarks was found";
    for (const char* name : {"multifilesrc", "pngdec", "jpegenc", "avimux", "qtmux"}) {
      GstElementFactory* factory = gst_element_factory_find(name);
      if (!factory) GTEST_SKIP() << "GStreamer has no " << name;
      gst_object_unref(factory);
    }
  }

  /// clip() with a face, made once.
  static fs::path one_face() {
    const fs::path file = suite_folder_->path() / "one.avi";
    if (!fs::exists(file)) fs::copy_file(clip(true), file);
    return file;
  }

  /// Three seconds in which a face, if any, moves a little. A second face is there for the last of
  /// them.
  static fs::path clip(bool face, bool second = false) {
    const ScopedFolder frames;
    for (int i = 0; i < 3 * kFrameRate; ++i) {
      cv::Mat picture = test::drawn_background({320, 240});
      if (face)
        test::draw_face_at(picture,
                           {.centre = {100.f + static_cast<float>(i), 120}, .height = 110});
      if (second && i >= 2 * kFrameRate)
        test::draw_face_at(picture, {.centre = {250, 120}, .height = 100});
      char name[32];
      std::snprintf(name, sizeof name, "frame%03d.png", i);
      cv::imwrite((frames.path() / name).string(), picture);
    }
    const fs::path file = suite_folder_->path() / "clip.avi";
    const std::string text =
        "multifilesrc location=" + (frames.path() / "frame%03d.png").string() +
        " caps=image/png,framerate=" + std::to_string(kFrameRate) +
        "/1 ! pngdec ! videoconvert ! jpegenc quality=95 ! avimux ! filesink location=" +
        file.string();
    play(text);
    return file;
  }

  static void play(const std::string& text) {
    GstElement* pipeline = gst_parse_launch(text.c_str(), nullptr);
    ASSERT_NE(pipeline, nullptr) << text;
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstBus* bus = gst_element_get_bus(pipeline);
    GstMessage* message = gst_bus_timed_pop_filtered(
        bus, 30 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    EXPECT_TRUE(message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS);
    if (message) gst_message_unref(message);
    gst_object_unref(bus);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
  }

  static FaceRows read(const fs::path& file, double every, int max = 100) {
    ReadOptions options;
    options.video_every = every;
    options.video_max = max;
    return read_video_faces(file, {.side = 32}, options);
  }

  static ScopedFolder* suite_folder_;
};

ScopedFolder* VideoFacesTest::suite_folder_;

TEST_F(VideoFacesTest, SamplesEachTrackByTheClock) {
  const fs::path file = one_face();
  const FaceRows faces = read(file, 1);
  EXPECT_EQ(faces.rows.size(), 3u) << "at 0, 1 and 2 seconds";
  EXPECT_EQ(faces.info.source, "one.avi");
  for (const PackedRow& row : faces.rows) {
    EXPECT_EQ(row.crop.size(), 32u * 32);
    EXPECT_EQ(row.label, -1);
    EXPECT_TRUE(row.aligned);
  }
  EXPECT_EQ(read(file, 0.4, 2).rows.size(), 2u) << "no more of one track";
  EXPECT_EQ(read(file, 60).rows.size(), 1u);
}

TEST_F(VideoFacesTest, CountsTracksApart) {
  EXPECT_EQ(read(clip(true, true), 60).rows.size(), 2u);
}

TEST_F(VideoFacesTest, AreDataLikeAnyOther) {
  const fs::path file = one_face();
  EXPECT_TRUE(is_video(file));
  const DataSource source(file, AlignMode::kAuto, {.side = 32}, {.split = {}, .video_every = 0.4});
  EXPECT_FALSE(source.was_packed());
  EXPECT_EQ(source.data().size(), 8u);
  EXPECT_EQ(source.data().label(0), -1);
  EXPECT_EQ(source.data().rows("").size(), 8u);
}

TEST_F(VideoFacesTest, TurnsWhatWasFilmedOnItsSide) {
  // A phone's clip: the pictures lie on their side, and the track's matrix says how to turn them.
  const ScopedFolder frames;
  cv::Mat picture = test::drawn_background({320, 240}), lying;
  test::draw_face_at(picture, {.centre = {100, 120}, .height = 110});
  cv::rotate(picture, lying, cv::ROTATE_90_COUNTERCLOCKWISE);
  cv::imwrite((frames.path() / "frame0.png").string(), lying);
  const fs::path file = suite_folder_->path() / "phone.mov";
  play("multifilesrc location=" + (frames.path() / "frame0.png").string() +
       " caps=image/png,framerate=5/1 num-buffers=5 ! pngdec ! videoconvert ! jpegenc quality=95 "
       "! qtmux ! filesink location=" +
       file.string());
  std::string bytes = test::content(file);
  const std::size_t matrix = bytes.find("tkhd") + 4 + 40;
  ASSERT_LT(matrix + 36, bytes.size());
  const std::string turn(
      "\0\0\0\0\0\1\0\0\0\0\0\0\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0", 36);
  const auto upright = [&](const fs::path& video) {
    const FaceRows faces = read(video, 60);
    EXPECT_EQ(faces.rows.size(), 1u);
    return cv::Mat(32, 32, CV_8U, const_cast<std::uint8_t*>(faces.rows.at(0).crop.data())).clone();
  };
  const cv::Mat turned =
      upright(suite_folder_->write("turned.mov", bytes.replace(matrix, 36, turn)));
  EXPECT_LT(cv::norm(turned, upright(one_face()), cv::NORM_L1) / turned.total(), 12);
}

TEST_F(VideoFacesTest, WaitsForNoPipe) {
  const fs::path pipe = suite_folder_->path() / "pipe.mp4";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(error_of([&] { read(pipe, 1); }),
              HasSubstr("pipe.mp4: expected a regular file, found a named pipe"));
}

TEST_F(VideoFacesTest, NamesWhatItCannotRead) {
  EXPECT_THAT(error_of([&] { read(clip(false), 1); }),
              AllOf(HasSubstr("clip.avi"), HasSubstr("found none in 15 frames")));
  EXPECT_THAT(error_of([&] { read(suite_folder_->write("no.mp4", "no video at all"), 1); }),
              AllOf(HasSubstr("no.mp4: expected a video"), HasSubstr("cannot be decoded")));
  EXPECT_THAT(error_of([&] { read(suite_folder_->path() / "none.mp4", 1); }),
              HasSubstr("none.mp4"));
}

TEST_F(VideoFacesTest, StopsWhenAskedTo) {
  const fs::path file = one_face();
  stop_requested = true;
  EXPECT_THROW(read(file, 1), Interrupted);
  stop_requested = false;
}

}  // namespace
}  // namespace fer
