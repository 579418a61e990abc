#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "element_test.h"
#include "made_up_faces.h"
#include "scoped.h"

namespace fer {
namespace {

using namespace test;
using namespace std::chrono_literals;
using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

std::vector<Json> records_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Json> records;
  for (std::string line; std::getline(file, line);) records.push_back(Json::parse(line));
  return records;
}

class FerPublish : public testing::Test {
 protected:
  void play(Properties properties) {
    harness_ = std::make_unique<Harness>(make_element("ferpublish", properties));
    harness_->set_caps(video_caps("I420", 64, 48));
  }
  void play_to_file(Properties properties = {}) {
    properties.emplace_back("location", path_.string());
    play(std::move(properties));
  }
  static BufferPtr frame(int number, const std::vector<FaceRecord>& faces = {}) {
    const GstVideoInfo info = video_info("I420", 64, 48);
    BufferPtr buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
    GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(number) * GST_MSECOND;
    return with_faces(std::move(buffer), info, faces);
  }
  void push(BufferPtr buffer) {
    EXPECT_EQ(harness_->push(std::move(buffer)), GST_FLOW_OK);
    EXPECT_TRUE(harness_->try_pull()) << "buffers flow on";
  }
  void push_frames(int from, int to) {
    for (int i = from; i < to; ++i) push(frame(i));
  }
  void end_stream() { EXPECT_TRUE(harness_->push_event(gst_event_new_eos())); }
  GstElement* element() { return harness_->element(); }

  const ScopedFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "faces.jsonl";
  std::unique_ptr<Harness> harness_;
};

TEST_F(FerPublish, WritesOneObjectAFrame) {
  play_to_file();
  push(frame(
      40, {with_expression(face_at(0.25, 0.5, 0.5, 0.25, 7), 1, 0.93f), face_at(0, 0, 0.1, 0.1)}));
  push(frame(80));
  end_stream();
  auto records = records_in(path_);
  ASSERT_THAT(records, SizeIs(2));
  for (Json& record : records) {
    for (const char* field : {"utc", "utc_from", "run", "frame"}) {
      EXPECT_EQ(record.erase(field), 1u) << field;
    }
  }
  EXPECT_EQ(records[0], Json::parse(R"({
    "timestamp": 40000000, "resolution": {"width": 64, "height": 48},
    "objects": [
      {"x": 16, "y": 24, "w": 32, "h": 12, "roi_type": "face", "id": 7,
       "detection": {"confidence": 0.9,
         "bounding_box": {"x_min": 0.25, "y_min": 0.5, "x_max": 0.75, "y_max": 0.75}},
       "quality": {"clear": true},
       "emotion": {"label": "happiness", "label_id": 1, "confidence": 0.93,
         "probabilities": {"neutral": 0.01, "happiness": 0.93, "surprise": 0.01, "sadness": 0.01,
           "anger": 0.01, "disgust": 0.01, "fear": 0.01, "contempt": 0.01},
         "model_version": "test-1", "unsure": false, "age": 0}},
      {"x": 0, "y": 0, "w": 6, "h": 5, "roi_type": "face", "id": null,
       "detection": {"confidence": 0.9,
         "bounding_box": {"x_min": 0.0, "y_min": 0.0, "x_max": 0.1, "y_max": 0.1}},
       "quality": {"clear": true}}]})"));
  EXPECT_EQ(records[1], Json::parse(R"({"timestamp": 80000000,
    "resolution": {"width": 64, "height": 48}, "objects": []})"));
}

TEST_F(FerPublish, FramesThatNobodyAnalysedHaveNoObjects) {
  play_to_file();
  push(BufferPtr(gst_buffer_new_allocate(nullptr, 10, nullptr)));
  end_stream();
  EXPECT_EQ(records_in(path_).at(0)["objects"], Json::array());
}

TEST_F(FerPublish, PublishesFiftyFaces) {
  play_to_file();
  std::vector<FaceRecord> faces;
  for (int i = 0; i < 50; ++i) {
    faces.push_back(
        with_expression(face_at(0.01 * i, 0.01 * i, 0.2, 0.2, static_cast<guint64>(i) + 1), i % 8));
  }
  push(frame(0, faces));
  end_stream();
  const Json objects = records_in(path_).at(0)["objects"];
  ASSERT_THAT(objects, SizeIs(50));
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(objects[static_cast<std::size_t>(i)]["id"], i + 1);
    EXPECT_EQ(objects[static_cast<std::size_t>(i)]["emotion"]["label_id"], i % 8);
  }
}

TEST_F(FerPublish, TimestampsAreStreamTime) {
  play_to_file();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = 10 * GST_MSECOND;
  segment.time = 3 * GST_MSECOND;
  harness_->push_event(gst_event_new_segment(&segment));
  push(frame(15));
  BufferPtr timeless = frame(0);
  GST_BUFFER_PTS(timeless.get()) = GST_CLOCK_TIME_NONE;
  push(std::move(timeless));
  end_stream();
  const auto records = records_in(path_);
  EXPECT_EQ(records.at(0)["timestamp"], 8000000);
  EXPECT_TRUE(records.at(1)["timestamp"].is_null());
}

TEST_F(FerPublish, StreamsThatAreNotMeasuredInTimeHaveNoTimestamps) {
  play_to_file();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  harness_->push_event(gst_event_new_segment(&segment));
  push(frame(15));
  end_stream();
  EXPECT_TRUE(records_in(path_).at(0)["timestamp"].is_null());
}

TEST_F(FerPublish, WantsCaps) {
  Harness harness(make_element("ferpublish", {{"location", path_.string()}}));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  harness.push_event(gst_event_new_stream_start("without caps"));
  harness.push_event(gst_event_new_segment(&segment));
  EXPECT_EQ(harness.push(frame(0)), GST_FLOW_NOT_NEGOTIATED);
}

TEST_F(FerPublish, BuffersPassAsTheyAre) {
  play_to_file();
  BufferPtr buffer = frame(0, {face_at(0, 0, 1, 1)});
  const BufferPtr shared(gst_buffer_ref(buffer.get()));
  EXPECT_EQ(harness_->push(std::move(buffer)), GST_FLOW_OK);
  EXPECT_EQ(harness_->try_pull().get(), shared.get());
}

TEST_F(FerPublish, TakesVideoInAnyFormatAndMemory) {
  play_to_file();
  for (const std::string caps :
       {"video/x-raw,format=YUY2,width=10,height=20,framerate=0/1",
        "video/x-raw(memory:CUDAMemory),format=NV12,width=30,height=40,framerate=30/1",
        "video/x-raw(memory:DMABuf,meta:Whatever),format=P010_10LE,width=50,height=60,framerate=1/"
        "1"}) {
    harness_->set_caps(caps);
    push(BufferPtr(gst_buffer_new_allocate(nullptr, 10, nullptr)));
  }
  end_stream();
  const auto records = records_in(path_);
  ASSERT_THAT(records, SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(records[static_cast<std::size_t>(i)]["resolution"],
              (Json{{"width", 20 * i + 10}, {"height", 20 * i + 20}}));
  }
}

// --- What makes records useful later.

TEST_F(FerPublish, RecordsSayWhenAndFromWhereTheyAre) {
  std::set<std::string> runs;
  for (int run = 0; run < 2; ++run) {
    play_to_file({{"source", "door"}, {"tags", "site=north,floor=2"}});
    const gint64 before = g_get_real_time();
    BufferPtr told = frame(0);
    const CapsPtr unix_time(gst_caps_from_string("timestamp/x-unix"));
    gst_buffer_add_reference_timestamp_meta(told.get(), unix_time.get(), 1796046065 * GST_SECOND,
                                            GST_CLOCK_TIME_NONE);
    push(std::move(told));
    push(frame(1));
    end_stream();
    const auto records = records_in(path_);
    ASSERT_THAT(records, SizeIs(2));
    for (const Json& record : records) {
      EXPECT_EQ(record["source"], "door");
      EXPECT_EQ(record["tags"], Json::parse(R"({"site": "north", "floor": "2"})"));
      runs.insert(record["run"]);
    }
    EXPECT_EQ(records[0]["utc"], "2026-11-30T13:41:05.000000Z");
    EXPECT_EQ(records[0]["utc_from"], "camera");
    EXPECT_EQ(records[0]["frame"], 1);
    EXPECT_EQ(records[1]["frame"], 2);
    EXPECT_EQ(records[1]["utc_from"], "clock");
    GDateTime* time =
        g_date_time_new_from_iso8601(records[1]["utc"].get<std::string>().c_str(), nullptr);
    ASSERT_NE(time, nullptr) << records[1]["utc"];
    EXPECT_GE(g_date_time_to_unix(time), before / G_USEC_PER_SEC);
    EXPECT_LE(g_date_time_to_unix(time), g_get_real_time() / G_USEC_PER_SEC);
    g_date_time_unref(time);
  }
  EXPECT_THAT(runs, SizeIs(2)) << "each start is another run";
}

TEST_F(FerPublish, TagsThatAreNoneAreRefused) {
  EXPECT_THAT(start_error("ferpublish", {{"location", path_.string()}, {"tags", "north"}}),
              AllOf(HasSubstr("tags"), HasSubstr("north")));
}

TEST_F(FerPublish, OnChangeLeavesOutWhatSaysNothingNew) {
  play_to_file({{"on-change", "true"}});
  const FaceRecord glad = with_expression(face_at(0, 0, 1, 1, 1), 1);
  const FaceRecord sad = with_expression(face_at(0, 0, 1, 1, 1), 3);
  int number = 0;
  for (const auto& faces :
       std::vector<std::vector<FaceRecord>>{{}, {}, {glad}, {glad}, {glad}, {sad}, {sad}, {}, {}}) {
    push(frame(number++, faces));
  }
  end_stream();
  std::vector<int> frames;
  for (const Json& record : records_in(path_)) frames.push_back(record["frame"]);
  EXPECT_EQ(frames, (std::vector<int>{1, 3, 6, 8}));
  EXPECT_EQ(stat(element(), "left-out"), 5);
  EXPECT_EQ(stat(element(), "frames"), 9);
}

TEST_F(FerPublish, AnIntervalIsOfStreamTime) {
  play_to_file({{"min-interval", "10"}});
  push_frames(0, 35);
  end_stream();
  std::vector<std::uint64_t> times;
  for (const Json& record : records_in(path_)) times.push_back(record["timestamp"]);
  EXPECT_EQ(times, (std::vector<std::uint64_t>{0, 10000000, 20000000, 30000000}));
}

TEST_F(FerPublish, CountsExpressions) {
  play_to_file();
  FaceRecord unsure = with_expression(face_at(0, 0, 1, 1, 2), 2);
  unsure.expression->unsure = true;
  for (int i = 0; i < 3; ++i) push(frame(i, {with_expression(face_at(0, 0, 1, 1, 1), 1), unsure}));
  push(frame(3, {face_at(0, 0, 1, 1, 3)}));
  const StructurePtr stats = property<StructurePtr>(element(), "stats");
  const GValue* counts = gst_structure_get_value(stats.get(), "expressions");
  ASSERT_NE(counts, nullptr);
  gchar* text = gst_value_serialize(counts);
  EXPECT_THAT(text, AllOf(HasSubstr("happiness"), HasSubstr("unsure"), Not(HasSubstr("surprise"))));
  g_free(text);
}

// --- Files.

TEST_F(FerPublish, TheFileIsCompleteAtTheEndOfTheStream) {
  play_to_file();
  push_frames(0, 700);
  end_stream();
  const auto records = records_in(path_);
  ASSERT_THAT(records, SizeIs(700));
  for (int i = 0; i < 700; ++i) {
    EXPECT_EQ(records[static_cast<std::size_t>(i)]["timestamp"], i * 1000000);
  }
  EXPECT_THAT(harness_->events(GST_EVENT_EOS), SizeIs(1));
  EXPECT_EQ(stat(element(), "published"), 700);
  EXPECT_EQ(stat(element(), "dropped"), 0);
  EXPECT_EQ(stat(element(), "bytes"), std::filesystem::file_size(path_) - 700);
}

TEST_F(FerPublish, TheFileIsCompleteAfterAStopToo) {
  play_to_file();
  push_frames(0, 300);
  gst_element_set_state(element(), GST_STATE_NULL);
  EXPECT_THAT(records_in(path_), SizeIs(300));
  EXPECT_EQ(stat(element(), "published"), 300) << "statistics stay";
}

TEST_F(FerPublish, FlushingLosesNoRecord) {
  play_to_file();
  push_frames(0, 100);
  harness_->push_event(gst_event_new_flush_start());
  harness_->push_event(gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  harness_->push_event(gst_event_new_segment(&segment));
  push_frames(100, 200);
  end_stream();
  EXPECT_THAT(records_in(path_), SizeIs(200));
}

TEST_F(FerPublish, EachStartBeginsAnewUnlessAppending) {
  for (const bool append : {false, true}) {
    for (int cycle = 0; cycle < 3; ++cycle) {
      play_to_file({{"append", append ? "true" : "false"}});
      push_frames(0, 2);
      end_stream();
      harness_.reset();
      // The first to append finds what the last one before wrote.
      EXPECT_THAT(records_in(path_), SizeIs(append ? 4 + 2 * cycle : 2));
    }
  }
}

TEST_F(FerPublish, StateCycles) {
  const ElementPtr element = make_element("ferpublish", {{"location", path_.string()}});
  for (int i = 0; i < 5; ++i) {
    for (const GstState state : {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING,
                                 GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL}) {
      EXPECT_NE(gst_element_set_state(element.get(), state), GST_STATE_CHANGE_FAILURE);
    }
  }
}

TEST_F(FerPublish, SaysWhichFileCannotBeOpened) {
  EXPECT_THAT(start_error("ferpublish", {{"location", "/no/such/folder/file"}}),
              AllOf(HasSubstr("/no/such/folder/file"), HasSubstr("No such file")));
  EXPECT_THAT(start_error("ferpublish", {{"location", folder_.path().string()}}),
              AllOf(HasSubstr(folder_.path().string()), HasSubstr("Is a directory")));
  EXPECT_THAT(start_error("ferpublish", {}), HasSubstr("location"));
}

TEST_F(FerPublish, AFullDiskCostsAWarning) {
  play({{"location", "/dev/full"}});
  push_frames(0, 50);
  end_stream();
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()),
              AllOf(HasSubstr("/dev/full"), HasSubstr("No space left")));
  EXPECT_EQ(harness_->messages().count(
                static_cast<GstMessageType>(GST_MESSAGE_WARNING | GST_MESSAGE_ERROR)),
            0);
  EXPECT_EQ(stat(element(), "dropped"), 50);
  EXPECT_EQ(stat(element(), "published"), 0);
}

TEST_F(FerPublish, BuffersFlowWhileNobodyReads) {
  mkfifo(path_.c_str(), 0600);
  play_to_file({{"max-queue", "5"}});
  push_frames(0, 100);
  EXPECT_EQ(stat(element(), "dropped"), 95);
  EXPECT_EQ(stat(element(), "queued"), 5);
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("dropped"));
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
  g_object_set(element(), "max-queue", 3u, nullptr);
  EXPECT_EQ(stat(element(), "queued"), 3);

  std::ifstream reader(path_);
  std::string line;
  for (int i = 97; i < 100; ++i) {
    ASSERT_TRUE(std::getline(reader, line));
    EXPECT_EQ(Json::parse(line)["timestamp"], i * 1000000);
  }
  push(frame(100));
  ASSERT_TRUE(std::getline(reader, line));
  EXPECT_EQ(Json::parse(line)["timestamp"], 100000000);
  EXPECT_EQ(stat(element(), "dropped"), 97);
}

TEST_F(FerPublish, AFifoThatIsRemovedCostsAWarningAndNoTime) {
  mkfifo(path_.c_str(), 0600);
  play_to_file();
  std::filesystem::remove(path_);
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), AllOf(HasSubstr(path_.string()), HasSubstr("again")));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(500ms);
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 5) << "it tries without a pause";
  push(frame(0));
  mkfifo(path_.c_str(), 0600);
  std::ifstream reader(path_);
  std::string line;
  EXPECT_TRUE(std::getline(reader, line)) << "it is opened where it comes back";
}

TEST_F(FerPublish, AStopDoesNotWaitForeverForAReader) {
  mkfifo(path_.c_str(), 0600);
  play_to_file();
  push_frames(0, 10);
  gst_element_set_state(element(), GST_STATE_NULL);
  EXPECT_EQ(stat(element(), "published"), 0);
  EXPECT_EQ(stat(element(), "dropped"), 10);
}

TEST_F(FerPublish, AFlushEndsTheWaitAtTheEndOfTheStream) {
  mkfifo(path_.c_str(), 0600);
  play_to_file();
  push_frames(0, 10);
  std::thread flusher([&] {
    std::this_thread::sleep_for(50ms);
    harness_->push_event(gst_event_new_flush_start());
  });
  harness_->push_event(gst_event_new_eos());
  flusher.join();
  harness_->push_event(gst_event_new_flush_stop(TRUE));
  EXPECT_EQ(stat(element(), "queued"), 10) << "they wait for a reader still";
}

TEST_F(FerPublish, WritesToStandardOutput) {
  const int kept = dup(STDOUT_FILENO);
  const int file = open(path_.c_str(), O_WRONLY | O_CREAT, 0600);
  fflush(stdout);
  dup2(file, STDOUT_FILENO);
  play({{"method", "stdout"}});
  push_frames(0, 20);
  end_stream();
  harness_.reset();
  dup2(kept, STDOUT_FILENO);
  close(file);
  close(kept);
  EXPECT_THAT(records_in(path_), SizeIs(20));
}

TEST_F(FerPublish, AReaderThatGoesAwayEndsTheStream) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const ElementPtr pipeline = parse_pipeline(
      "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=100/1 ! queue "
      "! ferpublish name=publish method=fd fd=" +
      std::to_string(ends[1]) + " ! fakesink");
  std::thread reader([&] {
    char letters[100];
    EXPECT_GT(read(ends[0], letters, sizeof letters), 0);
    close(ends[0]);
  });
  // Without an end it would fail after this time.
  EXPECT_NO_THROW(play_to_end(pipeline.get(), 20));
  reader.join();
  close(ends[1]);
}

TEST_F(FerPublish, PasswordsCannotBeReadBack) {
  const ElementPtr element = make_element("ferpublish", {});
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), "address") == nullptr) {
    GTEST_SKIP() << "built without MQTT";
  }
  g_object_set(element.get(), "address", "mqtts://me:s3cret@broker", nullptr);
  EXPECT_EQ(property<std::string>(element.get(), "address"), "mqtts://***@broker");
  const ElementPtr pipeline =
      parse_pipeline("videotestsrc ! ferpublish method=mqtt address=me:s3cret@broker:1 ! fakesink");
  gchar* dot = gst_debug_bin_to_dot_data(GST_BIN(pipeline.get()), GST_DEBUG_GRAPH_SHOW_ALL);
  EXPECT_THAT(dot, AllOf(HasSubstr("broker:1"), Not(HasSubstr("s3cret"))));
  g_free(dot);
}

TEST_F(FerPublish, StandsInTheMiddleOfAPipeline) {
  play_to_end(parse_pipeline("videotestsrc num-buffers=25 ! video/x-raw,width=64,height=48 ! "
                             "ferpublish location=\"" +
                             path_.string() + "\" ! fakesink")
                  .get());
  EXPECT_THAT(records_in(path_), SizeIs(25));
}

TEST_F(FerPublish, PropertiesCanBeReadBack) {
  const ElementPtr element = make_element(
      "ferpublish",
      {{"method", "stdout"}, {"location", "/a/b"}, {"append", "true"}, {"max-queue", "9"}});
  EXPECT_EQ(property<gint>(element.get(), "method"), 1);
  EXPECT_EQ(property<std::string>(element.get(), "location"), "/a/b");
  EXPECT_TRUE(property<gboolean>(element.get(), "append"));
  EXPECT_EQ(property<guint>(element.get(), "max-queue"), 9u);
  EXPECT_EQ(stat(element.get(), "published"), 0);
}

}  // namespace
}  // namespace fer
