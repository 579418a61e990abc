#include <gmock/gmock.h>
#include <gst/controller/controller.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <set>
#include <thread>

#include "crop-batch.h"
#include "data/drawn_face.h"
#include "element_test.h"
#include "face-geometry.h"
#include "made_up_faces.h"
#include "model/classifier.h"
#include "model/slot.h"
#include "scoped.h"
#include "unit/model/model_support.h"
#include "unit/model/wait_for.h"
#include "video-frame.h"
#include "vision/turn_picture.h"

namespace fer {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const cv::Size kOddSize(321, 241);
constexpr int kHappiness = 1, kSurprise = 2, kAnger = 4;

const cv::Mat& picture() {
  static const cv::Mat made = varied_picture(kOddSize, {41, 31});
  return made;
}

class FerInfer : public testing::Test {
 protected:
  /// An element that plays with this model, or with the random one of the fixture.
  void play(Properties properties = {}) {
    const bool names_model = std::any_of(properties.begin(), properties.end(),
                                         [](const auto& item) { return item.first == "model"; });
    if (!names_model) properties.emplace_back("model", random_model());
    harness_ = std::make_unique<Harness>(make_element("ferinfer", properties));
    set_caps("I420", kOddSize);
  }

  std::string random_model() {
    const auto path = folder_.path() / "random.fer";
    if (!std::filesystem::exists(path)) RandomModel().write(path);
    return path.string();
  }

  /// A file whose model says this of everybody, replaced where it is there already; its version is
  /// given back. Each share of the probabilities gives another version.
  std::string constant_model(int label, double share = 0.9,
                             const NetworkConfig& c = tiny_config()) {
    return write_constant_model(constant_path(), label, share, c);
  }
  std::filesystem::path constant_path() const { return folder_.path() / "constant.fer"; }

  std::shared_ptr<const Classifier> constant_classifier(int label, double share = 0.9,
                                                        const NetworkConfig& c = tiny_config()) {
    const auto path = folder_.path() / "swapped.fer";
    write_constant_model(path, label, share, c);
    return Classifier::open(path, Precision::kFp32);
  }

  void set_caps(const std::string& format, cv::Size size) {
    harness_->set_caps(video_caps(format, size.width, size.height));
    format_ = format;
    size_ = size;
  }

  GstElement* element() { return harness_->element(); }
  GstVideoInfo info() const { return video_info(format_, size_.width, size_.height); }

  BufferPtr pass(BufferPtr frame) {
    EXPECT_EQ(harness_->push(std::move(frame)), GST_FLOW_OK);
    BufferPtr out = harness_->try_pull();
    EXPECT_TRUE(out);
    return out;
  }

  BufferPtr frame_with(const std::vector<FaceRecord>& faces, int number = 0,
                       Layout layout = Layout::kPacked) {
    cv::Mat sized;
    cv::resize(picture(), sized, size_);
    return with_faces(make_frame(sized, format_, layout, number), info(), faces);
  }

  /// What it says of these faces in the next frame.
  std::vector<FaceRecord> label(const std::vector<FaceRecord>& faces) {
    const BufferPtr out = pass(frame_with(faces, number_++));
    return out ? faces_of(out.get()) : std::vector<FaceRecord>();
  }

  /// What it says of one face of this track, in the next frame.
  Expression label_track(guint64 track_id, double side = 0.3) {
    const auto faces = label({face_at(0.2, 0.2, side, side, track_id)});
    if (faces.size() != 1 || !faces[0].expression) {
      ADD_FAILURE() << "no expression in frame " << number_ - 1;
      return {};
    }
    return *faces[0].expression;
  }

  guint64 inferences() { return static_cast<guint64>(stat(element(), "inferences").value_or(-1)); }

  ScopedFolder folder_;
  std::unique_ptr<Harness> harness_;
  std::string format_;
  cv::Size size_;
  int number_ = 0;
};

/// A text of the element's stats.
std::string text_stat(gpointer element, const char* field) {
  const StructurePtr stats = property<StructurePtr>(element, "stats");
  const char* text = gst_structure_get_string(stats.get(), field);
  return text == nullptr ? "" : text;
}

/// The library's own word on a face.
std::vector<float> expected(const std::string& model, const FrameView& frame,
                            const FaceRecord& face, double prior_correction = 0) {
  const auto classifier = Classifier::open(model, Precision::kFp32);
  cv::Mat crop;
  crop_face(frame, face_in_pixels(face, {frame.width, frame.height}), crop_spec(classifier->info()),
            crop);
  std::vector<cv::Mat> planes;
  cv::split(crop, planes);
  std::vector<std::uint8_t> bytes;
  for (const cv::Mat& plane : planes) {
    for (int y = 0; y < plane.rows; ++y) {
      bytes.insert(bytes.end(), plane.ptr<std::uint8_t>(y),
                   plane.ptr<std::uint8_t>(y) + plane.cols);
    }
  }
  std::vector<float> probabilities = classifier->logits(bytes);
  to_probabilities(probabilities, classifier->info(), prior_correction);
  return probabilities;
}

auto near(const std::vector<float>& values, float error = 1e-4f) {
  return testing::Pointwise(testing::FloatNear(error), values);
}

// --- Frames as they come.

class FerInferFormats : public FerInfer, public testing::WithParamInterface<std::string> {};

INSTANTIATE_TEST_SUITE_P(Formats, FerInferFormats, testing::ValuesIn(video_formats()),
                         [](const auto& info) { return info.param; });

TEST_P(FerInferFormats, LabelsTheFacesAndLeavesThePixels) {
  play({{"precision", "fp32"}});
  set_caps(GetParam(), kOddSize);
  const std::vector<FaceRecord> faces{with_landmarks(face_at(0.1, 0.1, 0.4, 0.5)),
                                      face_at(0.55, 0.3, 0.4, 0.5, 3)};
  for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
    BufferPtr frame = frame_with(faces, number_++, layout);
    const std::vector<std::uint8_t> bytes = bytes_of(frame.get());
    const GstMemory* memory = gst_buffer_peek_memory(frame.get(), 0);
    const GstClockTime time = GST_BUFFER_PTS(frame.get());
    const BufferPtr out = pass(std::move(frame));
    ASSERT_TRUE(out);
    EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
    EXPECT_EQ(bytes_of(out.get()), bytes);
    EXPECT_EQ(GST_BUFFER_PTS(out.get()), time);
    const auto labelled = faces_of(out.get());
    ASSERT_THAT(labelled, SizeIs(2));
    const GstVideoInfo video = info();
    const MappedFrame mapped(video, out.get(), GST_MAP_READ);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(labelled[i].x, faces[i].x, 1e-9);
      EXPECT_EQ(labelled[i].track_id, faces[i].track_id);
      EXPECT_EQ(labelled[i].landmarks.has_value(), i == 0);
      ASSERT_TRUE(labelled[i].expression);
      const Expression& expression = *labelled[i].expression;
      EXPECT_THAT(expression.probabilities,
                  near(expected(random_model(), mapped.view(), faces[i])));
      EXPECT_EQ(expression.labels, kLabels);
      EXPECT_EQ(expression.label, kLabels[static_cast<std::size_t>(expression.label_id)]);
      EXPECT_FLOAT_EQ(
          static_cast<float>(expression.confidence()),
          *std::max_element(expression.probabilities.begin(), expression.probabilities.end()));
      EXPECT_THAT(expression.model_version, SizeIs(12));
    }
    // Two faces are not the same one twice.
    EXPECT_NE(labelled[0].expression->probabilities, labelled[1].expression->probabilities);
    // The next round finds the track known already.
    g_object_set(element(), "reclassify-interval", 1u, "smoothing", 0.0, nullptr);
  }
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FerInfer, GivesColourModelsTheirPlanes) {
  const auto path = folder_.path() / "colour.fer";
  RandomModel(tiny_config(24, 3)).write(path);
  play({{"model", path.string()}, {"precision", "fp32"}});
  set_caps("BGR", kOddSize);
  const FaceRecord face = face_at(0.1, 0.1, 0.5, 0.6);
  const BufferPtr out = pass(frame_with({face}));
  ASSERT_TRUE(out);
  const GstVideoInfo video = info();
  const MappedFrame mapped(video, out.get(), GST_MAP_READ);
  EXPECT_THAT(faces_of(out.get()).at(0).expression->probabilities,
              near(expected(path.string(), mapped.view(), face)));
}

TEST_F(FerInfer, RefusesWhatItCannotRead) {
  play();
  harness_->set_caps(video_caps("AYUV64", 64, 64));
  EXPECT_EQ(harness_->push(BufferPtr(gst_buffer_new_allocate(nullptr, 64 * 64 * 2, nullptr))),
            GST_FLOW_NOT_NEGOTIATED);
}

TEST_F(FerInfer, InfersFiftyFacesInOneBatch) {
  play();
  std::vector<FaceRecord> faces;
  for (int i = 0; i < 50; ++i) {
    faces.push_back(
        face_at(0.09 * (i % 10), 0.19 * (i / 10), 0.1, 0.2, static_cast<guint64>(i) + 1));
  }
  const auto labelled = label(faces);
  ASSERT_THAT(labelled, SizeIs(50));
  std::set<std::vector<float>> different;
  for (const FaceRecord& face : labelled) {
    ASSERT_TRUE(face.expression);
    different.insert(face.expression->probabilities);
  }
  EXPECT_GT(different.size(), 45u);
  EXPECT_EQ(inferences(), 50u);
  EXPECT_EQ(stat(element(), "batches"), 1);
  EXPECT_EQ(stat(element(), "faces"), 50);

  // More threads say the same.
  play({{"threads", "3"}});
  const auto again = label(faces);
  ASSERT_THAT(again, SizeIs(50));
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(again[i].expression->probabilities, labelled[i].expression->probabilities);
  }
}

TEST_F(FerInfer, AsksForFramesThatAreCropped) {
  constant_model(kHappiness);
  Harness harness(make_element("ferinfer", {{"model", constant_path().string()}}));
  const OfferedMetas offered = offered_metas(harness, video_caps("I420", 64, 48));
  EXPECT_TRUE(offered.video);
  EXPECT_FALSE(offered.crop);
}

TEST_F(FerInfer, FramesWithoutFacesPass) {
  play();
  EXPECT_THAT(label({}), IsEmpty());
  EXPECT_EQ(inferences(), 0u);
  EXPECT_EQ(stat(element(), "frames"), 1);
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FerInfer, SaysOnceThatNobodyLookedForFaces) {
  play();
  for (int number = 0; number < 3; ++number) {
    const BufferPtr out = pass(make_frame(picture(), "I420", Layout::kPacked, number));
    ASSERT_TRUE(out);
    EXPECT_EQ(face_meta_read(out.get()), std::nullopt);
  }
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), AllOf(HasSubstr("ferdetect"), HasSubstr("full-frame")));
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FerInfer, UnreadableBuffersPassWithOneWarning) {
  constant_model(kHappiness);
  play({{"model", constant_path().string()}, {"reclassify-interval", "1"}});
  label_track(1);
  for (int i = 0; i < 3; ++i) {
    BufferPtr cut = frame_with({face_at(0.2, 0.2, 0.3, 0.3, 1)}, number_++);
    gst_buffer_set_size(cut.get(), 1000);
    const BufferPtr out = pass(std::move(cut));
    ASSERT_TRUE(out);
    EXPECT_EQ(faces_of(out.get()).at(0).expression->label, "happiness") << "as last said";
  }
  EXPECT_EQ(stat(element(), "failed"), 3);
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("the buffer does not hold the frame"));
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
  EXPECT_EQ(label_track(1).age, 0u);
}

TEST_F(FerInfer, GapBuffersKeepWhatWasSaid) {
  play({{"reclassify-interval", "1"}});
  label_track(1);
  BufferPtr gap = frame_with({face_at(0.2, 0.2, 0.3, 0.3, 1)}, number_++);
  GST_BUFFER_FLAG_SET(gap.get(), GST_BUFFER_FLAG_GAP);
  const BufferPtr out = pass(std::move(gap));
  ASSERT_TRUE(out);
  EXPECT_EQ(faces_of(out.get()).at(0).expression->age, 1u);
  EXPECT_EQ(inferences(), 1u);
}

// --- What is inferred when.

TEST_F(FerInfer, InfersTracksEveryFewFrames) {
  play({{"reclassify-interval", "3"}, {"smoothing", "0"}});
  std::vector<guint> ages;
  for (int i = 0; i < 8; ++i) ages.push_back(label_track(5).age);
  EXPECT_THAT(ages, testing::ElementsAre(0, 1, 2, 0, 1, 2, 0, 1));
  EXPECT_EQ(inferences(), 3u);
  EXPECT_EQ(stat(element(), "cached"), 5);
}

TEST_F(FerInfer, InfersTracksThatGrow) {
  play({{"reclassify-interval", "0"}});
  EXPECT_EQ(label_track(5, 0.3).age, 0u);
  EXPECT_EQ(label_track(5, 0.35).age, 1u);
  EXPECT_EQ(label_track(5, 0.38).age, 0u);
  EXPECT_EQ(label_track(5, 0.38).age, 1u);
}

TEST_F(FerInfer, InfersFacesWithoutATrackAlways) {
  play({{"reclassify-interval", "100"}});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(label_track(0).age, 0u);
  EXPECT_EQ(inferences(), 4u);
}

TEST_F(FerInfer, InfersOnEveryNthFrameOnly) {
  play({{"inference-interval", "3"}, {"reclassify-interval", "1"}});
  EXPECT_EQ(label_track(1).age, 0u);
  // A newcomer waits for its turn, and so do faces without a track.
  for (const guint age : {1u, 2u}) {
    const auto faces = label({face_at(0.2, 0.2, 0.3, 0.3, 1), face_at(0.6, 0.2, 0.3, 0.3, 2),
                              face_at(0.6, 0.6, 0.3, 0.3)});
    ASSERT_THAT(faces, SizeIs(3));
    EXPECT_EQ(faces[0].expression->age, age);
    EXPECT_FALSE(faces[1].expression);
    EXPECT_FALSE(faces[2].expression);
  }
  EXPECT_EQ(label_track(2).age, 0u);
  EXPECT_EQ(stat(element(), "batches"), 2);
}

TEST_F(FerInfer, InfersOnlyWhatIsDue) {
  play({{"reclassify-interval", "4"}});
  label_track(1);
  const auto faces = label({face_at(0.1, 0.2, 0.3, 0.3, 1), face_at(0.6, 0.2, 0.3, 0.3, 2)});
  EXPECT_EQ(faces.at(0).expression->age, 1u);
  EXPECT_EQ(faces.at(1).expression->age, 0u);
  EXPECT_EQ(inferences(), 2u);
}

TEST_F(FerInfer, LateFramesKeepWhatWasSaid) {
  play({{"reclassify-interval", "1"}});
  label_track(1);
  // The frames up to one second are late.
  EXPECT_TRUE(harness_->push_upstream_event(
      gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 0.5, GST_SECOND / 4, GST_SECOND / 2)));
  number_ = 15;
  EXPECT_EQ(label_track(1).age, 1u);
  EXPECT_FALSE(label({face_at(0.2, 0.2, 0.3, 0.3, 9)}).at(0).expression);
  EXPECT_EQ(stat(element(), "skipped"), 2);
  EXPECT_EQ(stat(element(), "frames"), 3) << "late frames pass all the same";
  number_ = 40;
  EXPECT_EQ(label_track(1).age, 0u);
  // Not where QoS is off.
  g_object_set(element(), "qos", FALSE, nullptr);
  number_ = 16;
  EXPECT_EQ(label_track(1).age, 0u);
}

TEST_F(FerInfer, AFlushForgetsTracks) {
  play({{"reclassify-interval", "100"}});
  label_track(1);
  EXPECT_EQ(label_track(1).age, 1u);
  EXPECT_TRUE(harness_->push_event(gst_event_new_flush_start()));
  EXPECT_TRUE(harness_->push_event(gst_event_new_flush_stop(TRUE)));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  EXPECT_TRUE(harness_->push_event(gst_event_new_segment(&segment)));
  EXPECT_EQ(label_track(1).age, 0u);
}

TEST_F(FerInfer, PicturesOfAnotherShapeForgetTracks) {
  play({{"reclassify-interval", "100"}});
  label_track(1);
  set_caps("BGRx", {160, 160});
  EXPECT_EQ(label_track(1).age, 0u);
  EXPECT_EQ(label_track(1).age, 1u);
}

TEST_F(FerInfer, CapsThatLeaveTheShapeLeaveTheTracks) {
  play({{"reclassify-interval", "100"}});
  label_track(1);
  harness_->set_caps("video/x-raw,format=I420,width=321,height=241,framerate=15/1");
  EXPECT_EQ(label_track(1).age, 1u);
  set_caps("BGRx", {642, 482});
  EXPECT_EQ(label_track(1).age, 2u);
}

TEST_F(FerInfer, MarksLabelsUnsureBelowTheLeastConfidence) {
  constant_model(kAnger, 0.7);
  play({{"model", constant_path().string()}, {"min-confidence", "0.8"}, {"smoothing", "0"}});
  EXPECT_TRUE(label_track(1).unsure);
  g_object_set(element(), "min-confidence", 0.6, nullptr);
  EXPECT_FALSE(label_track(1).unsure) << "a label that is kept is judged anew";
  g_object_set(element(), "min-confidence", -1., nullptr);
  EXPECT_FALSE(label_track(2).unsure) << "this model has no operating points";
  EXPECT_EQ(stat(element(), "unsure"), 1);
}

TEST_F(FerInfer, MarksLabelsUnsureOfFacesThatAreUnclear) {
  constant_model(kAnger, 0.9);
  play({{"model", constant_path().string()}});
  FaceRecord face = face_at(0.2, 0.2, 0.3, 0.3, 1);
  face.clear = false;
  const auto faces = label({face});
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_FALSE(faces[0].clear);
  EXPECT_TRUE(faces[0].expression->unsure);
}

/// Crops of frames that are stored turned or stretched are those of the upright picture.
TEST_F(FerInfer, SeesFacesUprightInFramesThatAreStoredTurned) {
  const std::string model = random_model();
  play({{"model", model}, {"precision", "fp32"}});
  const FaceRecord face = with_landmarks(face_at(0.3, 0.2, 0.3, 0.5, 1));
  const auto upright = label({face});
  ASSERT_THAT(upright, SizeIs(1));
  for (const Orientation turn : {Orientation::k90Right, Orientation::k180}) {
    cv::Mat stored, sized;
    cv::resize(picture(), sized, kOddSize);
    turn_picture(sized, reversed(turn), stored);
    set_caps("I420", stored.size());
    BufferPtr frame = make_frame(stored, "I420", Layout::kPacked, number_++);
    FaceRecord there = as_shown(face, reversed(turn));
    there.track_id = 10 + static_cast<guint64>(turn);
    face_meta_write(frame.get(), info(), {there}, turn);
    const BufferPtr out = pass(std::move(frame));
    ASSERT_TRUE(out);
    EXPECT_EQ(face_meta_orientation(out.get()), turn);
    const auto faces = faces_of(out.get());
    ASSERT_THAT(faces, SizeIs(1));
    for (std::size_t k = 0; k < upright[0].expression->probabilities.size(); ++k) {
      EXPECT_NEAR(faces[0].expression->probabilities[k], upright[0].expression->probabilities[k],
                  0.02)
          << static_cast<int>(turn) << " " << k;
    }
  }
}

TEST_F(FerInfer, EventsPass) {
  play();
  EXPECT_TRUE(harness_->push_event(gst_event_new_eos()));
  EXPECT_THAT(harness_->events(GST_EVENT_EOS), SizeIs(1));
}

// --- What is said.

TEST_F(FerInfer, SmoothsTheProbabilitiesOfATrack) {
  const auto slot = ModelSlot::get("smoothing");
  slot->swap(constant_classifier(kHappiness, 0.8));
  play({{"model", ""}, {"model-slot", "smoothing"}, {"smoothing", "0.75"}});
  EXPECT_NEAR(label_track(1).probabilities[kHappiness], 0.8, 1e-4);
  slot->swap(constant_classifier(kAnger, 0.8));
  const double rest = 0.2 / 7;
  const Expression mixed = label_track(1);
  EXPECT_EQ(mixed.age, 0u) << "another model asks again";
  EXPECT_NEAR(mixed.probabilities[kHappiness], 0.75 * 0.8 + 0.25 * rest, 1e-4);
  EXPECT_NEAR(mixed.probabilities[kAnger], 0.75 * rest + 0.25 * 0.8, 1e-4);
  EXPECT_EQ(mixed.label, "happiness");
  // A track of its own, and faces without one, hear nothing of it.
  EXPECT_NEAR(label_track(2).probabilities[kAnger], 0.8, 1e-4);
  EXPECT_NEAR(label_track(0).probabilities[kAnger], 0.8, 1e-4);
  g_object_set(element(), "smoothing", 0.0, "reclassify-interval", 1u, nullptr);
  EXPECT_NEAR(label_track(1).probabilities[kAnger], 0.8, 1e-4);
}

TEST_F(FerInfer, DividesThePriorOutAsFarAsItIsTold) {
  const auto path = folder_.path() / "prior.fer";
  RandomModel model;
  model.info().prior = {0.5f, 0.2f, 0.1f, 0.1f, 0.05f, 0.02f, 0.02f, 0.01f};
  model.write(path);
  play({{"model", path.string()}, {"precision", "fp32"}, {"prior-correction", "0.5"}});
  const FaceRecord face = face_at(0.2, 0.2, 0.5, 0.5);
  const BufferPtr out = pass(frame_with({face}));
  ASSERT_TRUE(out);
  const GstVideoInfo video = info();
  const MappedFrame mapped(video, out.get(), GST_MAP_READ);
  const auto probabilities = faces_of(out.get()).at(0).expression->probabilities;
  EXPECT_THAT(probabilities, near(expected(path.string(), mapped.view(), face, 0.5)));
  EXPECT_THAT(probabilities, testing::Not(near(expected(path.string(), mapped.view(), face, 0))));
}

TEST_F(FerInfer, DividesThePriorOutAsTheModelSaysUnlessItIsTold) {
  const auto path = folder_.path() / "prior.fer";
  RandomModel model;
  model.info().prior = {0.5f, 0.2f, 0.1f, 0.1f, 0.05f, 0.02f, 0.02f, 0.01f};
  model.info().prior_correction = 0.75;
  model.info().calibration.temperature = 3;
  model.write(path);
  play({{"model", path.string()}, {"precision", "fp32"}, {"smoothing", "0"}});
  const FaceRecord face = face_at(0.2, 0.2, 0.5, 0.5);
  const auto labelled = [&] {
    const BufferPtr out = pass(frame_with({face}));
    const GstVideoInfo video = info();
    const MappedFrame mapped(video, out.get(), GST_MAP_READ);
    const auto own = near(expected(path.string(), mapped.view(), face, 0.75));
    const auto none = near(expected(path.string(), mapped.view(), face, 0));
    const auto probabilities = faces_of(out.get()).at(0).expression->probabilities;
    return std::pair{testing::Value(probabilities, own), testing::Value(probabilities, none)};
  };
  EXPECT_EQ(labelled(), (std::pair{true, false}));
  g_object_set(element(), "prior-correction", 0.0, nullptr);
  EXPECT_EQ(labelled(), (std::pair{false, true}));
}

TEST_F(FerInfer, TakesTheWholeFrameForAFace) {
  play({{"precision", "fp32"}, {"inference-region", "full-frame"}, {"smoothing", "0"}});
  const auto classifier = Classifier::open(random_model(), Precision::kFp32);
  const auto whole = [&](const FrameView& frame) {
    cv::Mat crop;
    crop_whole(frame, crop_spec(classifier->info()), crop);
    std::vector<float> p = classifier->logits({crop.ptr(), crop.total()});
    to_probabilities(p, classifier->info(), 0);
    return p;
  };
  // A frame that nobody has looked at, and a crop with its own record.
  FaceRecord on_crop = face_at(0, 0, 1, 1, 7);
  on_crop.confidence = 0.75;
  for (const bool record : {false, true}) {
    BufferPtr frame = make_frame(picture(), "I420", Layout::kPacked, number_++);
    if (record) frame = with_faces(std::move(frame), info(), {on_crop});
    const BufferPtr out = pass(std::move(frame));
    ASSERT_TRUE(out);
    const auto faces = faces_of(out.get());
    ASSERT_THAT(faces, SizeIs(1));
    EXPECT_EQ(faces[0].w, 1);
    EXPECT_EQ(faces[0].h, 1);
    EXPECT_EQ(faces[0].track_id, record ? 7u : 0u);
    EXPECT_DOUBLE_EQ(faces[0].confidence, record ? 0.75 : 1);
    const GstVideoInfo video = info();
    const MappedFrame mapped(video, out.get(), GST_MAP_READ);
    EXPECT_THAT(faces[0].expression->probabilities, near(whole(mapped.view())));
  }
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FerInfer, LabelsTheCropsOfFercrop) {
  // The frame and its crop show the model the same face.
  play({{"precision", "fp32"}});
  set_caps("GRAY8", kOddSize);
  const FaceRecord face = with_landmarks(face_at(0.2, 0.2, 0.4, 0.5));
  BufferPtr frame = frame_with({face});
  BufferPtr copy(gst_buffer_copy(frame.get()));
  const auto in_frame = faces_of(pass(std::move(frame)).get()).at(0).expression->probabilities;

  Harness crops(make_element("fercrop"));
  crops.set_downstream_caps("video/x-raw,format=GRAY8,width=24,height=24");
  crops.set_caps(video_caps("GRAY8", kOddSize.width, kOddSize.height));
  ASSERT_EQ(crops.push(std::move(copy)), GST_FLOW_OK);
  BufferPtr crop = crops.try_pull();
  ASSERT_TRUE(crop);
  set_caps("GRAY8", {24, 24});
  const BufferPtr out = pass(std::move(crop));
  ASSERT_TRUE(out);
  EXPECT_THAT(faces_of(out.get()).at(0).expression->probabilities, near(in_frame, 0.02f));
}

// --- Settings.

TEST(FerInferProperties, HaveTheirDefaults) {
  const ElementPtr element = make_element("ferinfer");
  EXPECT_EQ(property<std::string>(element.get(), "model"), "");
  EXPECT_EQ(property<std::string>(element.get(), "model-slot"), "");
  EXPECT_EQ(property<std::string>(element.get(), "device"), "auto");
  EXPECT_EQ(property<gint>(element.get(), "precision"), static_cast<gint>(Precision::kAuto));
  EXPECT_EQ(property<gboolean>(element.get(), "reload"), TRUE);
  EXPECT_EQ(property<guint>(element.get(), "threads"), 1u);
  EXPECT_EQ(property<gint>(element.get(), "inference-region"), 0);
  EXPECT_EQ(property<guint>(element.get(), "inference-interval"), 1u);
  EXPECT_EQ(property<guint>(element.get(), "reclassify-interval"), 5u);
  EXPECT_DOUBLE_EQ(property<double>(element.get(), "smoothing"), 0.5);
  EXPECT_DOUBLE_EQ(property<double>(element.get(), "prior-correction"), -1);
  EXPECT_EQ(property<gboolean>(element.get(), "qos"), TRUE);
  EXPECT_EQ(stat(element.get(), "frames"), 0);
}

TEST(FerInferProperties, AreReadAsTheyWereSet) {
  const ElementPtr element = make_element("ferinfer", {{"model", "a/b.fer"},
                                                       {"model-slot", "shared"},
                                                       {"device", "cuda"},
                                                       {"precision", "bf16"},
                                                       {"reload", "false"},
                                                       {"threads", "0"},
                                                       {"inference-region", "full-frame"},
                                                       {"inference-interval", "7"},
                                                       {"reclassify-interval", "0"},
                                                       {"smoothing", "0.25"},
                                                       {"prior-correction", "1"},
                                                       {"qos", "false"}});
  EXPECT_EQ(property<std::string>(element.get(), "model"), "a/b.fer");
  EXPECT_EQ(property<std::string>(element.get(), "model-slot"), "shared");
  EXPECT_EQ(property<std::string>(element.get(), "device"), "cuda");
  EXPECT_EQ(property<gint>(element.get(), "precision"), static_cast<gint>(Precision::kBf16));
  EXPECT_EQ(property<gboolean>(element.get(), "reload"), FALSE);
  EXPECT_EQ(property<guint>(element.get(), "threads"), 0u);
  EXPECT_EQ(property<gint>(element.get(), "inference-region"), 1);
  EXPECT_EQ(property<guint>(element.get(), "inference-interval"), 7u);
  EXPECT_EQ(property<guint>(element.get(), "reclassify-interval"), 0u);
  EXPECT_DOUBLE_EQ(property<double>(element.get(), "smoothing"), 0.25);
  EXPECT_DOUBLE_EQ(property<double>(element.get(), "prior-correction"), 1);
  EXPECT_EQ(property<gboolean>(element.get(), "qos"), FALSE);
}

TEST_F(FerInfer, PropertiesMayBeControlled) {
  constant_model(kHappiness);
  play({{"model", constant_path().string()}, {"reclassify-interval", "0"}});
  GstControlSource* steps = gst_interpolation_control_source_new();
  g_object_set(steps, "mode", GST_INTERPOLATION_MODE_NONE, nullptr);
  gst_timed_value_control_source_set(GST_TIMED_VALUE_CONTROL_SOURCE(steps), 0, 10);
  gst_timed_value_control_source_set(GST_TIMED_VALUE_CONTROL_SOURCE(steps), GST_SECOND / 10, 1);
  ASSERT_TRUE(gst_object_add_control_binding(
      GST_OBJECT(element()), gst_direct_control_binding_new_absolute(
                                 GST_OBJECT(element()), "reclassify-interval", steps)));
  gst_object_unref(steps);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(label_track(1).age, static_cast<guint>(i));
  number_ = 4;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(label_track(1).age, 0u);
}

TEST_F(FerInfer, SettingsMayChangeWhileItRuns) {
  play();
  std::atomic<bool> done = false;
  std::thread other([&] {
    for (guint i = 0; !done; ++i) {
      g_object_set(element(), "threads", i % 4, "smoothing", 0.2 * (i % 3), "inference-interval",
                   1 + i % 3, "reclassify-interval", i % 5, "prior-correction", 0.5 * (i % 2),
                   nullptr);
      stat(element(), "faces");
    }
  });
  for (int i = 0; i < 40; ++i) {
    label({face_at(0.1, 0.1, 0.3, 0.3, 1), face_at(0.5, 0.5, 0.3, 0.3)});
  }
  done = true;
  other.join();
  EXPECT_EQ(stat(element(), "frames"), 40);
}

TEST_F(FerInfer, SaysWhatComputes) {
  play({{"precision", "fp32"}});
  label_track(1);
  EXPECT_EQ(text_stat(element(), "precision"), "fp32");
  EXPECT_THAT(text_stat(element(), "model-version"), SizeIs(12));
  EXPECT_NE(text_stat(element(), "engine"), "");
  EXPECT_GT(stat(element(), "average-inference-time"), 0);
  EXPECT_GT(stat(element(), "last-inference-time"), 0);
}

TEST_F(FerInfer, SaysWhereBf16IsNotToBeHad) {
  play({{"precision", "bf16"}});
  if (cpu_has_bf16()) {
    EXPECT_EQ(text_stat(element(), "precision"), "bf16");
    EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
    // A slot that was loaded in another precision stays in it.
    const auto slot = ModelSlot::get("fp32");
    slot->swap(constant_classifier(kHappiness));
    play({{"model", ""}, {"model-slot", "fp32"}, {"precision", "bf16"}});
  }
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("fp32"));
}

// --- Models.

TEST(FerInferModel, AMissingFileIsAnErrorThatNamesIt) {
  EXPECT_THAT(start_error("ferinfer", {{"model", "/nonexistent/model.fer"}}),
              AllOf(HasSubstr("/nonexistent/model.fer"), HasSubstr("No such file")));
}

TEST(FerInferModel, ABrokenFileIsAnErrorThatNamesIt) {
  const ScopedFolder folder;
  const auto path = folder.write("broken.fer", "this is no model");
  EXPECT_THAT(start_error("ferinfer", {{"model", path.string()}}),
              AllOf(HasSubstr(path.string()), HasSubstr("expected"), HasSubstr("found")));
  EXPECT_THAT(start_error("ferinfer", {{"model", folder.path().string()}}),
              HasSubstr("regular file"));
}

TEST(FerInferModel, IsFoundWhereModelsLie) {
  const ScopedFolder folder;
  const std::string version = RandomModel().write(folder.path() / "fernet.fer");
  const ScopedVariable models("FER_MODELS", folder.path().string());
  const Harness harness(make_element("ferinfer"));
  EXPECT_EQ(text_stat(harness.element(), "model-version"), version);
}

TEST(FerInferModel, NoneAtAllIsAnErrorWithTheRemedy) {
  const ScopedVariable models("FER_MODELS", "/nonexistent");
  const ScopedVariable cache("XDG_CACHE_HOME", "/nonexistent");
  const ScopedVariable shipped("FER_SHIPPED_MODELS", "/nonexistent");
  EXPECT_THAT(start_error("ferinfer", {}), AllOf(HasSubstr("model"), HasSubstr("FER_MODELS")));
}

TEST_F(FerInfer, SaysThatThereIsNoCuda) {
  if (std::getenv("FER_TEST_CUDA") != nullptr) GTEST_SKIP() << "There is CUDA here.";
  EXPECT_THAT(start_error("ferinfer", {{"model", random_model()}, {"device", "cuda"}}),
              AllOf(HasSubstr("device cuda"), HasSubstr("LibTorch")));
}

TEST_F(FerInfer, GoesThroughItsStates) {
  play();
  for (int round = 0; round < 3; ++round) {
    for (const GstState state :
         {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_NULL, GST_STATE_PLAYING}) {
      ASSERT_EQ(gst_element_set_state(element(), state), GST_STATE_CHANGE_SUCCESS);
    }
    harness_ = nullptr;
    play();
    EXPECT_EQ(label_track(1).age, 0u);
    EXPECT_EQ(stat(element(), "frames"), 1);
  }
  // What it counted can be read when it has stopped.
  gst_element_set_state(element(), GST_STATE_READY);
  EXPECT_EQ(stat(element(), "frames"), 1);
  EXPECT_EQ(stat(element(), "batches"), 1);
}

// --- Slots and reloads.

TEST_F(FerInfer, SharesTheModelOfItsSlot) {
  const std::string version = constant_model(kSurprise);
  play({{"model", constant_path().string()}, {"model-slot", "shared"}});
  // The second one needs no file; one that it names all the same is not loaded, and it says so.
  Harness second(make_element("ferinfer", {{"model-slot", "shared"}}));
  EXPECT_EQ(second.messages().count(GST_MESSAGE_WARNING), 0);
  Harness third(make_element("ferinfer", {{"model-slot", "shared"}, {"model", "/other.fer"}}));
  const MessagePtr warning = third.messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()),
              AllOf(HasSubstr("/other.fer"), HasSubstr("shared"), HasSubstr(version)));

  second.set_caps(video_caps("I420", kOddSize.width, kOddSize.height));
  EXPECT_EQ(label_track(1).model_version, version);
  ASSERT_EQ(second.push(frame_with({face_at(0.2, 0.2, 0.3, 0.3, 1)})), GST_FLOW_OK);
  const BufferPtr out = second.try_pull();
  EXPECT_EQ(faces_of(out.get()).at(0).expression->model_version, version);
  EXPECT_EQ(faces_of(out.get()).at(0).expression->label, "surprise");
  // One queue, and caches of their own.
  EXPECT_EQ(stat(element(), "batches"), 2);
  EXPECT_EQ(stat(second.element(), "batches"), 2);
  EXPECT_EQ(stat(second.element(), "inferences"), 1);

  // A swap reaches both.
  const auto next = constant_classifier(kAnger);
  ModelSlot::get("shared")->swap(next);
  EXPECT_EQ(label_track(2).label, "anger");
  ASSERT_EQ(second.push(frame_with({face_at(0.2, 0.2, 0.3, 0.3, 2)}, 1)), GST_FLOW_OK);
  EXPECT_EQ(faces_of(second.try_pull().get()).at(0).expression->label, "anger");
  EXPECT_EQ(stat(element(), "swaps"), 1);
}

TEST_F(FerInfer, WithoutASlotHasAModelOfItsOwn) {
  constant_model(kSurprise);
  play({{"model", constant_path().string()}});
  Harness other(make_element("ferinfer", {{"model", random_model()}}));
  EXPECT_NE(text_stat(element(), "model-version"), text_stat(other.element(), "model-version"));
}

/// Pushes frames from several elements of one slot while its models change.
TEST_F(FerInfer, LosesNoFrameToSwaps) {
  constexpr int kElements = 3, kFrames = 60;
  const std::vector<std::shared_ptr<const Classifier>> models{
      constant_classifier(kHappiness, 0.9), constant_classifier(kAnger, 0.8),
      // Another input size: what was cut for the one is cut anew for the other.
      constant_classifier(kSurprise, 0.7, tiny_config(40))};
  const std::map<std::string, std::string> label_of{{models[0]->info().version, "happiness"},
                                                    {models[1]->info().version, "anger"},
                                                    {models[2]->info().version, "surprise"}};
  const auto slot = ModelSlot::get("busy");
  slot->swap(models[0]);
  std::atomic<int> wrong{0}, running{kElements};
  std::vector<std::thread> streams;
  std::vector<std::unique_ptr<Harness>> harnesses;
  format_ = "I420";
  size_ = kOddSize;
  for (int i = 0; i < kElements; ++i) {
    harnesses.push_back(std::make_unique<Harness>(make_element(
        "ferinfer",
        {{"model-slot", "busy"}, {"smoothing", "0"}, {"reclassify-interval", std::to_string(i)}})));
    harnesses.back()->set_caps(video_caps(format_, size_.width, size_.height));
  }
  for (const auto& harness : harnesses) {
    streams.emplace_back([&, harness = harness.get()] {
      for (int number = 0; number < kFrames; ++number) {
        BufferPtr frame =
            frame_with({face_at(0.1, 0.1, 0.3, 0.3, 1), face_at(0.5, 0.5, 0.3, 0.3)}, number);
        const GstClockTime time = GST_BUFFER_PTS(frame.get());
        if (harness->push(std::move(frame)) != GST_FLOW_OK) ++wrong;
        const BufferPtr out = harness->try_pull();
        if (!out || GST_BUFFER_PTS(out.get()) != time) {
          ++wrong;
          continue;
        }
        // Each face is labelled by the model whose name it bears.
        for (const FaceRecord& face : faces_of(out.get())) {
          if (!face.expression ||
              label_of.at(face.expression->model_version) != face.expression->label) {
            ++wrong;
          }
        }
      }
      --running;
    });
  }
  std::uint64_t swaps = 0;
  while (running > 0) {
    slot->swap(models[++swaps % models.size()]);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (std::thread& stream : streams) stream.join();
  EXPECT_EQ(wrong, 0);
  for (const auto& harness : harnesses) {
    EXPECT_EQ(stat(harness->element(), "frames"), kFrames);
    EXPECT_EQ(stat(harness->element(), "swaps"), swaps);
  }
}

TEST_F(FerInfer, ReloadsAReplacedFileAndTellsOfIt) {
  const std::string first = constant_model(kHappiness);
  play({{"model", constant_path().string()}});
  std::vector<std::string> told;
  g_signal_connect(element(), "model-updated",
                   G_CALLBACK(+[](GstElement*, const char* version, gpointer data) {
                     static_cast<std::vector<std::string>*>(data)->push_back(version);
                   }),
                   &told);
  EXPECT_EQ(label_track(1).label, "happiness");
  EXPECT_THAT(told, IsEmpty());
  const std::string second = constant_model(kAnger);
  EXPECT_TRUE(wait_for([&] { return label_track(2).model_version == second; }));
  EXPECT_EQ(label_track(3).label, "anger");
  EXPECT_THAT(told, testing::ElementsAre(second));
  const MessagePtr message = harness_->messages().wait(GST_MESSAGE_ELEMENT, 0);
  ASSERT_TRUE(message);
  const GstStructure* update = gst_message_get_structure(message.get());
  EXPECT_STREQ(gst_structure_get_name(update), "fer-model-updated");
  EXPECT_EQ(gst_structure_get_string(update, "version"), second);
  EXPECT_EQ(gst_structure_get_string(update, "previous-version"), first);
  EXPECT_EQ(stat(element(), "swaps"), 1);
  EXPECT_EQ(text_stat(element(), "model-version"), second);
}

TEST_F(FerInfer, TellsOfNothingWhereTheFileSaysTheSame) {
  const std::string version = constant_model(kHappiness);
  play({{"model", constant_path().string()}});
  label_track(1);
  std::filesystem::last_write_time(
      constant_path(), std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_TRUE(wait_for([&] {
    label_track(2);
    return stat(element(), "swaps") == 1;
  }));
  EXPECT_EQ(label_track(2).model_version, version);
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_ELEMENT), 0);
}

TEST_F(FerInfer, ServesOnWhereTheNewFileIsBroken) {
  const std::string first = constant_model(kHappiness);
  play({{"model", constant_path().string()}});
  label_track(1);
  folder_.write("constant.fer", "this is no model, and longer than eight bytes");
  EXPECT_TRUE(wait_for([&] {
    EXPECT_EQ(label_track(2).model_version, first);
    return stat(element(), "load-errors") == 1;
  }));
  label_track(2);
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()),
              AllOf(HasSubstr(constant_path().string()), HasSubstr(first)));
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_ERROR), 0);
}

TEST_F(FerInfer, LeavesAReplacedFileAloneWhereItIsTold) {
  const std::string first = constant_model(kHappiness);
  play({{"model", constant_path().string()}, {"reload", "false"}});
  // An element that does look at the file looks as often as this one would.
  Harness witness(make_element("ferinfer", {{"model", constant_path().string()}}));
  int swaps = 0;
  for (const int label : {kAnger, kSurprise}) {
    constant_model(label);
    ++swaps;
    EXPECT_TRUE(wait_for([&] { return stat(witness.element(), "swaps") == swaps; }));
  }
  EXPECT_EQ(label_track(1).model_version, first);
}

}  // namespace
}  // namespace fer
