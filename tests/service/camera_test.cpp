#include "cameras/camera.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "cameras/hardware_decoders.h"
#include "config/element_settings.h"
#include "fleet/fleet.h"
#include "model/labels.h"
#include "scoped.h"
#include "unit/model/model_support.h"
#include "util/elapsed.h"

namespace fer {
namespace {

using namespace std::chrono_literals;
using test::ScopedFolder;
using testing::HasSubstr;

constexpr double kPatience = 30;

class CameraTest : public testing::Test {
 protected:
  CameraTest() { test::write_constant_model((folder_.path() / "model.fer").string(), 1); }

  /// Pictures that move, as a file.
  std::string clip(int frames) const {
    const std::string file = folder_.path() / ("clip" + std::to_string(frames) + ".avi");
    const std::string text = "videotestsrc pattern=ball num-buffers=" + std::to_string(frames) +
                             " ! video/x-raw,width=160,height=120,framerate=20/1 ! jpegenc "
                             "! avimux ! filesink location=" +
                             file;
    GstElement* pipeline = gst_parse_launch(text.c_str(), nullptr);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstBus* bus = gst_element_get_bus(pipeline);
    gst_message_unref(gst_bus_timed_pop_filtered(bus, 20 * GST_SECOND, GST_MESSAGE_EOS));
    gst_object_unref(bus);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    return "file://" + file;
  }

  CameraConfig config(const std::string& uri) const {
    CameraConfig camera;
    camera.name = "cam";
    camera.uri = uri;
    camera.slot = "camera-test";
    camera.retry = {0.1, 0.2};
    return camera;
  }

  CameraShared shared() const {
    CameraShared shared;
    shared.slot.name = "camera-test";
    shared.slot.model = folder_.path() / "model.fer";
    return shared;
  }

  template <typename Condition>
  static bool wait_for(const Condition& condition, double seconds = kPatience) {
    const auto begun = SteadyClock::now();
    while (seconds_since(begun) < seconds) {
      if (condition()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  const ScopedFolder folder_;
};

TEST_F(CameraTest, ARecordingPlaysAtItsPaceAndEnds) {
  Camera camera(config(clip(20)), shared());
  const auto begun = SteadyClock::now();
  ASSERT_TRUE(wait_for([&] { return camera.state().kind == CameraState::kEnded; }));
  EXPECT_GT(seconds_since(begun), 0.8);
  EXPECT_EQ(camera.state().frames, 20u);
  EXPECT_EQ(camera.state().reason, "the recording is at its end");
}

TEST_F(CameraTest, ARecordingBeginsAnewWhereThatIsAskedFor) {
  CameraConfig looped = config(clip(10));
  looped.loop = true;
  Camera camera(looped, shared());
  ASSERT_TRUE(wait_for([&] { return camera.state().frames > 35; }));
  EXPECT_EQ(camera.state().restarts, 0u);
}

TEST_F(CameraTest, FramesASecondAreLimited) {
  CameraConfig few = config(clip(40));
  few.fps = 5;
  Camera camera(few, shared());
  ASSERT_TRUE(wait_for([&] { return camera.state().kind == CameraState::kEnded; }));
  EXPECT_GE(camera.state().frames, 9u);
  EXPECT_LE(camera.state().frames, 12u);
}

TEST_F(CameraTest, RubbishIsTriedAgainWithGrowingPausesAndTouchesNoOther) {
  CameraConfig looped = config(clip(40));
  looped.loop = true;
  Camera good(looped, shared());
  ASSERT_TRUE(wait_for([&] { return good.state().frames > 0; }));
  CameraConfig rubbish =
      config("file://" + folder_.write("noise.bin", std::string(5000, '\x5a')).string());
  rubbish.name = "rubbish";
  Camera bad(rubbish, shared());
  ASSERT_TRUE(wait_for([&] { return bad.state().restarts >= 3; }));
  EXPECT_EQ(bad.state().frames, 0u);
  const std::uint64_t frames = good.state().frames;
  ASSERT_TRUE(wait_for([&] { return good.state().frames > frames + 20; }));
  EXPECT_EQ(good.state().restarts, 0u);
}

TEST_F(CameraTest, ACameraThatFreezesIsMadeAnew) {
  // A FIFO that somebody holds open and never writes to.
  const std::string fifo = folder_.path() / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  CameraConfig frozen = config("fd://0");
  frozen.frozen_after = 1;
  const int end = open(fifo.c_str(), O_RDWR);
  frozen.uri = "fd://" + std::to_string(end);
  CameraShared now = shared();
  Camera camera(frozen, now);
  ASSERT_TRUE(wait_for([&] { return camera.state().restarts >= 1; }));
  close(end);
}

TEST_F(CameraTest, PicturesAreMadeOnlyWhileSomebodyLooks) {
  CameraConfig looped = config(clip(40));
  looped.loop = true;
  Camera camera(looped, shared());
  ASSERT_TRUE(wait_for([&] { return camera.state().frames > 10; }));
  EXPECT_FALSE(camera.picture()->next(0, 300ms).jpeg);
  const LatestPicture::Viewer viewer(camera.picture());
  const auto seen = camera.picture()->next(0, 10s);
  ASSERT_TRUE(seen.jpeg);
  EXPECT_EQ(seen.jpeg->substr(0, 2), "\xff\xd8") << "a JPEG";
}

TEST_F(CameraTest, WhoComesAndGoesHoldsUpNoRecordingThatBeginsAnew) {
  CameraConfig looped = config(clip(10));
  looped.loop = true;
  Camera camera(looped, shared());
  for (int visit = 0; visit < 3; ++visit) {
    const std::uint64_t frames = camera.state().frames;
    ASSERT_TRUE(wait_for([&] { return camera.state().frames > frames + 15; })) << visit;
    const LatestPicture::Viewer viewer(camera.picture());
    EXPECT_TRUE(camera.picture()->next(0, 10s).jpeg) << visit;
    const std::uint64_t seen = camera.state().frames;
    ASSERT_TRUE(wait_for([&] { return camera.state().frames > seen + 15; })) << visit;
  }
  EXPECT_EQ(camera.state().restarts, 0u);
}

TEST_F(CameraTest, AReasonHoldsNoSecrets) {
  CameraConfig closed = config("rtsp://admin:hunter2@127.0.0.1:9/s?key=abc123");
  Camera camera(closed, shared());
  std::string reason;
  ASSERT_TRUE(wait_for([&] {
    reason = camera.state().reason;
    return camera.state().kind == CameraState::kWaiting;
  }));
  EXPECT_NE(reason, "");
  EXPECT_THAT(reason, testing::Not(HasSubstr("hunter2")));
  EXPECT_EQ(camera.shown_uri(), "rtsp://127.0.0.1:9/s");
}

TEST_F(CameraTest, AFleetLeavesWhatAFileLeavesAsItWas) {
  ServiceConfig file;
  file.slots.push_back(shared().slot);
  file.cameras = {config(clip(40)), config(clip(40))};
  file.cameras[0].loop = file.cameras[1].loop = true;
  file.cameras[1].name = "other";
  Fleet fleet;
  EXPECT_EQ(fleet.apply(file).started, 2);
  const auto stays = fleet.camera("cam");
  ASSERT_TRUE(wait_for([&] { return stays->state().frames > 0; }));
  file.cameras[1].fps = 3;
  const Fleet::Changes changes = fleet.apply(file);
  EXPECT_EQ(changes.kept, 1);
  EXPECT_EQ(changes.stopped, 1);
  EXPECT_EQ(changes.started, 1);
  EXPECT_EQ(fleet.camera("cam"), stays);
  file.cameras.erase(file.cameras.begin());
  EXPECT_EQ(fleet.apply(file).stopped, 1);
  EXPECT_EQ(fleet.camera("cam"), nullptr);
}

TEST(HardwareDecoders, StandBeforeThoseInSoftware) {
  prefer_hardware_decoders();
  GList* decoders = gst_element_factory_list_get_elements(
      GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO, GST_RANK_NONE);
  guint least_hardware = G_MAXUINT, most_software = 0;
  for (GList* one = decoders; one != nullptr; one = one->next) {
    const std::string kind = gst_element_factory_get_metadata(GST_ELEMENT_FACTORY(one->data),
                                                              GST_ELEMENT_METADATA_KLASS);
    const guint rank = gst_plugin_feature_get_rank(GST_PLUGIN_FEATURE(one->data));
    if (kind.find("Hardware") != std::string::npos)
      least_hardware = std::min(least_hardware, rank);
    else
      most_software = std::max(most_software, rank);
  }
  gst_plugin_feature_list_free(decoders);
  EXPECT_GT(least_hardware, most_software) << "where there are none, this says nothing";
}

}  // namespace
}  // namespace fer
