#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <thread>

#include "data/tiny_dataset.h"
#include "element_test.h"
#include "made_up_faces.h"
#include "model/model_info.h"
#include "model/slot.h"
#include "scoped.h"
#include "unit/model/wait_for.h"

namespace fer {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

const cv::Size kSize(322, 242);

const cv::Mat& picture() {
  static const cv::Mat made = varied_picture(kSize, {81, 61});
  return made;
}

/// A model that knows the tiny dataset, and that dataset. Made once.
struct Source {
  Source() : model(train_tiny_model(folder.path())) {
    write_packed(data, tiny_info(), tiny_rows(30));
  }
  ScopedFolder folder;
  std::filesystem::path data = folder.path() / "labelled.packed";
  std::filesystem::path model;
};
const Source& source() {
  static const Source made;
  return made;
}

class FerLearn : public testing::Test {
 protected:
  std::string model() const { return source().model.string(); }
  std::string data() const { return source().data.string(); }
  std::string checkpoints() const { return (folder_.path() / "learnt").string(); }

  /// What an element needs to learn, and what a test wants besides.
  Properties learning(const Properties& more = {}) const {
    // What is shown here is a part of a picture, and no face that the model knows.
    Properties properties{{"source-model", model()}, {"replay", data()}, {"canary", data()},
                          {"model-slot", slot_},     {"max-cpu", "16"},  {"sample-interval", "0"},
                          {"max-unsure", "1"}};
    properties.insert(properties.end(), more.begin(), more.end());
    return properties;
  }

  std::unique_ptr<Harness> play(const Properties& more = {}, const std::string& format = "I420") {
    auto harness = std::make_unique<Harness>(make_element("ferlearn", learning(more)));
    harness->set_caps(video_caps(format, kSize.width, kSize.height));
    return harness;
  }

  static BufferPtr frame_with(const std::vector<FaceRecord>& faces, int number,
                              const std::string& format = "I420", Layout layout = Layout::kPacked) {
    return with_faces(make_frame(picture(), format, layout, number),
                      video_info(format, kSize.width, kSize.height), faces);
  }

  /// Passes a frame and gives it back.
  static BufferPtr pass(Harness& harness, BufferPtr frame) {
    EXPECT_EQ(harness.push(std::move(frame)), GST_FLOW_OK);
    return harness.try_pull();
  }

  /// Passes frames that show one face each, everyone for one frame only, in another place.
  static void show_people(Harness& harness, int count, int first = 0) {
    for (int i = first; i < first + count; ++i) {
      const double x = 0.05 * (i % 12), y = 0.05 * (i / 12 % 12);
      EXPECT_TRUE(pass(harness, frame_with({face_at(x, y, 0.3, 0.35, 100 + i)}, i)));
    }
  }

  ScopedFolder folder_;
  const std::string slot_ = "ferlearn-test";
};

class FerLearnFormats : public FerLearn,
                        public testing::WithParamInterface<std::tuple<std::string, Layout>> {};

TEST_P(FerLearnFormats, PassesBuffersUntouched) {
  const auto [format, layout] = GetParam();
  auto harness = play({}, format);
  for (int i = 0; i < 3; ++i) {
    BufferPtr frame = frame_with({face_at(0.2, 0.2, 0.3, 0.4, 5), face_at(0.6, 0.5, 0.2, 0.3, 6)},
                                 i, format, layout);
    const GstBuffer* same = frame.get();
    // Somebody else looks at it too, so that nobody may write on it.
    const BufferPtr other(gst_buffer_ref(frame.get()));
    const auto before = bytes_of(other.get());
    const BufferPtr out = pass(*harness, std::move(frame));
    ASSERT_TRUE(out);
    EXPECT_EQ(out.get(), same) << "it was copied";
    EXPECT_EQ(bytes_of(out.get()), before);
    EXPECT_EQ(faces_of(out.get()).size(), 2u);
  }
  EXPECT_EQ(stat(harness->element(), "frames"), 3);
  EXPECT_EQ(stat(harness->element(), "faces"), 6);
  EXPECT_EQ(stat(harness->element(), "sampled"), 6);
  EXPECT_EQ(stat(harness->element(), "failed"), 0);
  EXPECT_EQ(harness->messages().count(
                static_cast<GstMessageType>(GST_MESSAGE_WARNING | GST_MESSAGE_ERROR)),
            0);
}

INSTANTIATE_TEST_SUITE_P(All, FerLearnFormats,
                         testing::Combine(testing::ValuesIn(video_formats()),
                                          testing::Values(Layout::kPacked, Layout::kPadded)),
                         [](const auto& info) {
                           return std::get<0>(info.param) +
                                  (std::get<1>(info.param) == Layout::kPadded ? "Padded" : "");
                         });

TEST_F(FerLearn, LearnsWhatItSeesAndTellsOfIt) {
  auto harness = play({{"report-interval", "10"}, {"max-queue", "1000"}});
  std::atomic<int> updates = 0;
  g_signal_connect(harness->element(), "model-updated",
                   G_CALLBACK(+[](GstElement*, const char* version, double score, gpointer data) {
                     EXPECT_EQ(std::string(version).size(), 12u);
                     EXPECT_GE(score, 0);
                     EXPECT_LE(score, 1);
                     ++*static_cast<std::atomic<int>*>(data);
                   }),
                   &updates);
  const auto slot = ModelSlot::get(slot_);
  const std::string source = read_model_info(model()).version;
  ASSERT_TRUE(slot->current());
  EXPECT_EQ(slot->current()->info().version, source);

  show_people(*harness, 450);
  EXPECT_TRUE(wait_for([&] { return stat(harness->element(), "steps").value_or(0) >= 50; }));
  EXPECT_TRUE(wait_for([&] {
    return stat(harness->element(), "promotions").value_or(0) +
               stat(harness->element(), "kept").value_or(0) +
               stat(harness->element(), "rollbacks").value_or(0) >
           0;
  })) << "no candidate was judged";
  EXPECT_GT(stat(harness->element(), "memory"), 0);
  EXPECT_GT(stat(harness->element(), "tracklets"), 0);
  // The learner runs on: it counts first, and tells a moment later.
  EXPECT_TRUE(wait_for([&] { return updates == stat(harness->element(), "promotions"); }));
  if (updates > 0) {
    EXPECT_NE(slot->current()->info().version, source);
  }

  // Reports, and one that says what serves where something new does.
  bool reported = false, told = updates == 0;
  while (const MessagePtr message = harness->messages().wait(GST_MESSAGE_ELEMENT, 1)) {
    const GstStructure* structure = gst_message_get_structure(message.get());
    told = told || gst_structure_has_name(structure, "fer-model-updated");
    reported = reported || gst_structure_has_name(structure, "fer-learning");
    if (reported && told) break;
  }
  EXPECT_TRUE(reported);
  EXPECT_TRUE(told);
}

TEST_F(FerLearn, LooksAtATrackOnceAnInterval) {
  auto harness = play({{"sample-interval", "200"}});
  // 30 frames a second: frames 0, 6, 12, 18, 24.
  for (int i = 0; i < 30; ++i) pass(*harness, frame_with({face_at(0.2, 0.2, 0.4, 0.4, 1)}, i));
  EXPECT_EQ(stat(harness->element(), "faces"), 30);
  EXPECT_EQ(stat(harness->element(), "sampled"), 5);
  harness->push_event(gst_event_new_flush_start());
  harness->push_event(gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  harness->push_event(gst_event_new_segment(&segment));
  pass(*harness, frame_with({face_at(0.2, 0.2, 0.4, 0.4, 1)}, 29));
  EXPECT_EQ(stat(harness->element(), "sampled"), 6) << "a flush begins anew";
}

TEST_F(FerLearn, LearnsNothingWhilePaused) {
  auto harness = play({{"paused", "true"}});
  show_people(*harness, 20);
  EXPECT_EQ(stat(harness->element(), "frames"), 20);
  EXPECT_EQ(stat(harness->element(), "sampled"), 0);
  g_object_set(harness->element(), "paused", FALSE, nullptr);
  show_people(*harness, 20, 20);
  EXPECT_EQ(stat(harness->element(), "sampled"), 20);
  EXPECT_TRUE(wait_for([&] { return stat(harness->element(), "queued") == 0; }));
}

TEST_F(FerLearn, CarriesOutWhatIsAsked) {
  auto harness = play({{"checkpoint-dir", checkpoints()}});
  std::atomic<int> rolled_back = 0;
  g_signal_connect(harness->element(), "rolled-back",
                   G_CALLBACK(+[](GstElement*, const char* reason, gpointer data) {
                     EXPECT_STRNE(reason, "");
                     ++*static_cast<std::atomic<int>*>(data);
                   }),
                   &rolled_back);
  show_people(*harness, 100);
  EXPECT_TRUE(wait_for([&] { return stat(harness->element(), "memory").value_or(0) >= 64; }));
  g_signal_emit_by_name(harness->element(), "save");
  EXPECT_TRUE(wait_for([&] { return std::filesystem::exists(checkpoints() + "/00000001.fer"); }));
  g_signal_emit_by_name(harness->element(), "reset");
  EXPECT_TRUE(wait_for([&] { return stat(harness->element(), "memory") == 0; }));
  EXPECT_EQ(ModelSlot::get(slot_)->current()->info().version, read_model_info(model()).version);
}

TEST_F(FerLearn, GoesOnAfterARestart) {
  {
    auto harness = play({{"checkpoint-dir", checkpoints()}});
    show_people(*harness, 100);
    EXPECT_TRUE(wait_for([&] { return stat(harness->element(), "memory").value_or(0) >= 64; }));
  }
  auto harness = play({{"checkpoint-dir", checkpoints()}});
  EXPECT_TRUE(wait_for([&] { return stat(harness->element(), "memory").value_or(0) >= 64; }));
}

TEST_F(FerLearn, SharesTheLearnerOfItsSlot) {
  auto one = play(), two = play();
  show_people(*one, 10);
  show_people(*two, 15, 10);
  EXPECT_EQ(stat(one->element(), "sampled"), 10);
  EXPECT_EQ(stat(two->element(), "sampled"), 15);
  EXPECT_EQ(stat(one->element(), "offered"), 25);
  one.reset();  // Gone while it learns.
  show_people(*two, 5, 30);
  EXPECT_EQ(stat(two->element(), "offered"), 30);
}

TEST_F(FerLearn, WhatOneElementSaysStaysWhateverElseIsSet) {
  const auto paused = [](const Harness& of) {
    const auto stats = property<StructurePtr>(of.element(), "stats");
    gboolean held = FALSE;
    EXPECT_TRUE(gst_structure_get_boolean(stats.get(), "paused", &held));
    return held == TRUE;
  };
  auto one = play({{"paused", "true"}});
  EXPECT_TRUE(paused(*one));
  auto two = play();
  EXPECT_TRUE(paused(*one)) << "another one joined";
  g_object_set(two->element(), "sample-interval", 100u, "max-cpu", 8., nullptr);
  EXPECT_TRUE(paused(*one)) << "another one's interval was set";
  g_object_set(two->element(), "paused", FALSE, nullptr);
  EXPECT_FALSE(paused(*one)) << "another one was unpaused";
  g_object_set(one->element(), "sample-interval", 100u, nullptr);
  EXPECT_FALSE(paused(*one));
}

TEST_F(FerLearn, AdaptsTheModelThatAFerinferUpstreamNames) {
  // The model's labelled faces lie beside it, and no model ships here.
  const std::filesystem::path mine = folder_.path() / "mine.fer";
  std::filesystem::copy_file(model(), mine);
  for (const char* ending : {"replay", "canary"}) {
    std::filesystem::copy_file(data(), std::filesystem::path(mine).replace_extension(ending));
  }
  // ferlearn starts first, as GStreamer starts a pipeline from its sink.
  ElementPtr upstream = make_element("ferinfer", {{"model-slot", slot_}, {"model", mine.string()}});
  Harness learn(make_element("ferlearn", {{"model-slot", slot_}, {"max-cpu", "16"}}));
  Harness infer(std::move(upstream));
  EXPECT_EQ(infer.messages().count(GST_MESSAGE_WARNING), 0) << "its model was not taken";
  learn.set_caps(video_caps("I420", kSize.width, kSize.height));
  EXPECT_EQ(ModelSlot::get(slot_)->source(), mine);
  show_people(learn, 5);
  EXPECT_EQ(
      learn.messages().count(static_cast<GstMessageType>(GST_MESSAGE_WARNING | GST_MESSAGE_ERROR)),
      0);
  const auto stats = property<StructurePtr>(learn.element(), "stats");
  EXPECT_EQ(gst_structure_get_string(stats.get(), "source-version"),
            read_model_info(model()).version);
}

TEST_F(FerLearn, SaysThatAnotherLearnerHasItsFolder) {
  auto one = play({{"checkpoint-dir", checkpoints()}});
  auto two = play({{"checkpoint-dir", checkpoints()}, {"model-slot", "another"}});
  const MessagePtr warning = two->messages().wait(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()),
              AllOf(HasSubstr(checkpoints()), HasSubstr("no other learner")));
  EXPECT_EQ(one->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FerLearn, AsksForFramesThatAreCropped) {
  Harness harness(make_element("ferlearn", learning()));
  const OfferedMetas offered = offered_metas(harness, video_caps("I420", 64, 48));
  EXPECT_TRUE(offered.video);
  EXPECT_FALSE(offered.crop);
}

TEST_F(FerLearn, WantsCaps) {
  Harness harness(make_element("ferlearn", learning()));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  harness.push_event(gst_event_new_stream_start("without caps"));
  harness.push_event(gst_event_new_segment(&segment));
  EXPECT_EQ(harness.push(make_frame(picture(), "I420")), GST_FLOW_NOT_NEGOTIATED);
}

TEST_F(FerLearn, SaysWhereNothingIsServed) {
  Properties properties = learning();
  for (auto& [name, value] : properties) {
    if (name == "model-slot") value = "";
  }
  Harness harness(make_element("ferlearn", properties));
  const MessagePtr warning = harness.messages().wait(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(
      message_text(warning.get()),
      AllOf(HasSubstr("reaches nobody"), HasSubstr("model-slot"), HasSubstr("checkpoint-dir")));
}

TEST_F(FerLearn, PassesFramesWhereThereIsNothingToReplay) {
  Harness harness(make_element("ferlearn", {{"source-model", model()}, {"model-slot", slot_}}));
  harness.set_caps(video_caps("I420", kSize.width, kSize.height));
  const MessagePtr warning = harness.messages().wait(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("nothing is learnt"));
  show_people(harness, 5);
  EXPECT_EQ(stat(harness.element(), "frames"), 5);
  EXPECT_EQ(stat(harness.element(), "steps"), 0);
}

TEST_F(FerLearn, UnreadableBuffersPassWithOneWarning) {
  auto harness = play();
  for (int i = 0; i < 3; ++i) {
    BufferPtr cut = frame_with({face_at(0.2, 0.2, 0.4, 0.4, 1)}, i);
    gst_buffer_resize(cut.get(), 0, 1000);
    EXPECT_TRUE(pass(*harness, std::move(cut)));
  }
  EXPECT_EQ(stat(harness->element(), "failed"), 3);
  const MessagePtr warning = harness->messages().wait(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("does not hold the frame"));
  EXPECT_EQ(harness->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FerLearn, SaysOnceThatNobodyLookedForFaces) {
  auto harness = play();
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(pass(*harness, make_frame(picture(), "I420", Layout::kPacked, i)));
  const MessagePtr warning = harness->messages().wait(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("put ferdetect before"));
  EXPECT_EQ(harness->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FerLearn, TakesTheWholeFrameForAFace) {
  auto harness = play({{"inference-region", "full-frame"}});
  EXPECT_TRUE(pass(*harness, make_frame(picture(), "I420")));
  EXPECT_EQ(stat(harness->element(), "sampled"), 1);
}

TEST_F(FerLearn, GapBuffersAreNotLookedAt) {
  auto harness = play();
  BufferPtr gap = frame_with({face_at(0.2, 0.2, 0.4, 0.4, 1)}, 0);
  GST_BUFFER_FLAG_SET(gap.get(), GST_BUFFER_FLAG_GAP);
  EXPECT_TRUE(pass(*harness, std::move(gap)));
  EXPECT_EQ(stat(harness->element(), "sampled"), 0);
}

TEST_F(FerLearn, GoesThroughItsStates) {
  const ElementPtr element = make_element("ferlearn", learning());
  for (const GstState state : {GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_PLAYING, GST_STATE_NULL,
                               GST_STATE_PAUSED, GST_STATE_NULL}) {
    EXPECT_NE(gst_element_set_state(element.get(), state), GST_STATE_CHANGE_FAILURE);
  }
  // Actions without a learner are no fault.
  for (const char* action : {"save", "rollback", "reset"}) {
    g_signal_emit_by_name(element.get(), action);
  }
}

TEST_F(FerLearn, AMissingModelIsAnErrorThatNamesIt) {
  EXPECT_THAT(start_error("ferlearn", {{"source-model", "/nowhere/x.fer"}, {"model-slot", "gone"}}),
              AllOf(HasSubstr("/nowhere/x.fer"), HasSubstr("Nothing can be learnt")));
}

#ifdef HAVE_EXCHANGE
// What is read goes into dumps of pipelines, and from there into reports of errors.
TEST_F(FerLearn, TellsNobodyThePasswordOfItsBroker) {
  const ElementPtr element = make_element(
      "ferlearn", {{"role", "collect"}, {"broker", "mqtts://house:secret@broker/street"}});
  EXPECT_EQ(property<std::string>(element.get(), "broker"), "mqtts://***@broker/street");
}

TEST_F(FerLearn, ACollectorThatLacksSomethingSaysWhat) {
  const auto error = [&](const Properties& more) {
    Properties properties = learning(more);
    properties.emplace_back("role", "collect");
    return start_error("ferlearn", properties);
  };
  EXPECT_THAT(error({{"checkpoint-dir", checkpoints()}}), HasSubstr("set broker"));
  EXPECT_THAT(error({{"broker", "mqtt://127.0.0.1:1"}}), HasSubstr("set checkpoint-dir"));
  EXPECT_THAT(error({{"broker", "http://127.0.0.1"}, {"checkpoint-dir", checkpoints()}}),
              HasSubstr("it begins with http://"));
  EXPECT_THAT(error({{"broker", "mqtt://127.0.0.1"},
                     {"checkpoint-dir", checkpoints()},
                     {"ca-file", "/nowhere/ca.pem"}}),
              HasSubstr("write its address as mqtts://"));
  EXPECT_THAT(
      error(
          {{"broker", "mqtt://127.0.0.1"}, {"checkpoint-dir", checkpoints()}, {"model-slot", ""}}),
      HasSubstr("needs model-slot"));
}

TEST_F(FerLearn, ACollectorWithoutABrokerKeepsItsEvidenceOnDiskAndServesOn) {
  {
    auto harness = play({{"role", "collect"},
                         {"broker", "mqtt://127.0.0.1:1"},
                         {"checkpoint-dir", checkpoints()},
                         {"max-evidence", "6000"}});
    show_people(*harness, 20);
    harness->push_event(gst_event_new_eos());
    EXPECT_TRUE(wait_for([&] { return stat(harness->element(), "waiting").value_or(0) >= 10; }));
    EXPECT_EQ(stat(harness->element(), "sent"), 0);
    EXPECT_TRUE(ModelSlot::get(slot_)->current());
  }
  auto harness = play(
      {{"role", "collect"}, {"broker", "mqtt://127.0.0.1:1"}, {"checkpoint-dir", checkpoints()}});
  EXPECT_TRUE(wait_for([&] { return stat(harness->element(), "waiting").value_or(0) >= 10; }))
      << "it did not survive a restart";
}
#endif

TEST(FerLearnProperties, HaveTheirDefaults) {
  const ElementPtr element = make_element("ferlearn");
  for (const char* name : {"model-slot", "source-model", "replay", "canary", "checkpoint-dir"}) {
    EXPECT_EQ(property<std::string>(element.get(), name), "") << name;
  }
  EXPECT_EQ(property<guint>(element.get(), "threads"), 1u);
  EXPECT_EQ(property<guint>(element.get(), "sample-interval"), 200u);
  EXPECT_EQ(property<guint>(element.get(), "max-queue"), 256u);
  EXPECT_EQ(property<double>(element.get(), "max-cpu"), 0.25);
  EXPECT_FALSE(property<gboolean>(element.get(), "paused"));
  for (const auto& [name, value] :
       Properties{{"threshold-policy", "dta"}, {"negative-policy", "snl"}}) {
    GValue held = G_VALUE_INIT;
    g_object_get_property(G_OBJECT(element.get()), name.c_str(), &held);
    gchar* text = gst_value_serialize(&held);
    EXPECT_EQ(text, value);
    g_free(text);
    g_value_unset(&held);
  }
}

TEST_F(FerLearn, TakesEachPolicy) {
  for (const char* policy : {"fixed", "flex", "free", "soft", "ada-cm", "dta"}) {
    auto harness = play({{"threshold-policy", policy}});
    EXPECT_EQ(harness->messages().count(GST_MESSAGE_WARNING), 0) << policy;
  }
  for (const char* policy : {"none", "ups", "fullmatch", "lowest", "argmin", "snl"}) {
    auto harness = play({{"negative-policy", policy}});
    EXPECT_EQ(harness->messages().count(GST_MESSAGE_WARNING), 0) << policy;
  }
}

}  // namespace
}  // namespace fer
