#include "vision/face_finder.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include <set>
#include <stdexcept>
#include <string>

namespace fer {
namespace {

/// Reports what it is told to, and remembers what it was asked.
class ScriptedDetector final : public Detector {
 public:
  struct Script {
    std::vector<Face> faces;
    DetectorConfig config;
    int runs = 0;
    bool broken = false;
    float small_face = 0;
    cv::Mat picture;
  };
  explicit ScriptedDetector(Script& script) : script_(script) {}

  std::vector<Face> detect(const FrameView&, const DetectorConfig& config) override {
    ++script_.runs;
    script_.config = config;
    if (script_.broken) throw std::runtime_error("broken");
    return script_.faces;
  }
  float small_face() const override { return script_.small_face; }
  const cv::Mat* picture() const override {
    return script_.picture.empty() ? nullptr : &script_.picture;
  }
  bool has_landmarks() const override { return false; }
  std::string name() const override { return "scripted"; }

 private:
  Script& script_;
};

Face face_at(float x, float score = 0.9f) {
  Face face;
  face.box = {x, 100, 80, 100};
  face.score = score;
  return face;
}

class FaceFinderTest : public testing::Test {
 protected:
  /// One frame as the element does it.
  std::vector<TrackedFace> next(bool late = false) {
    if (finder_.due() && !(late && finder_.may_skip())) return finder_.detect(frame_);
    return finder_.predict();
  }

  ScriptedDetector::Script script_;
  FaceFinder finder_{std::make_unique<ScriptedDetector>(script_)};
  FrameView frame_;
};

TEST_F(FaceFinderTest, SaysTheDetectorsName) {
  EXPECT_EQ(finder_.detector_name(), "scripted");
}

TEST_F(FaceFinderTest, HandsTheSettingsToTheDetector) {
  finder_.configure({.threshold = 0.8f,
                     .min_face_size = 33,
                     .max_faces = 7,
                     .detect_width = 320,
                     .tracking = false});
  next();
  EXPECT_FLOAT_EQ(script_.config.score_threshold, 0.8f);
  EXPECT_FLOAT_EQ(script_.config.min_face_size, 33);
  EXPECT_EQ(script_.config.max_faces, 7);
  EXPECT_EQ(script_.config.detect_width, 320);
}

TEST_F(FaceFinderTest, DetectsOnEachNthFrameAndPredictsBetween) {
  finder_.configure({.interval = 4});
  for (int frame = 0; frame < 12; ++frame) {
    script_.faces = {face_at(100 + 3 * static_cast<float>(frame))};
    const auto faces = next();
    ASSERT_EQ(faces.size(), 1u) << frame;
    EXPECT_EQ(faces[0].track_id, 1u);
    EXPECT_EQ(script_.runs, frame / 4 + 1);
    EXPECT_NEAR(faces[0].box.x, 100 + 3 * static_cast<float>(frame), 10);
  }
}

TEST_F(FaceFinderTest, LooksForSmallFacesNowAndThen) {
  script_.small_face = 48;
  finder_.configure({.interval = 2, .small_face_interval = 5});
  std::string looks;
  for (int frame = 0; frame < 14; ++frame) {
    const int before = script_.runs;
    next();
    looks += script_.runs == before ? '-' : script_.config.small_faces ? 'S' : 'x';
  }
  EXPECT_EQ(looks, "S-x-x-S-x-x-S-");
  finder_.reset();
  next();
  EXPECT_TRUE(script_.config.small_faces) << "what comes next does not continue what came before";
  finder_.configure({.small_face_interval = 0});
  finder_.reset();
  next();
  EXPECT_FALSE(script_.config.small_faces);
}

TEST_F(FaceFinderTest, LooksForSmallFacesOnEveryFrameWithoutTracking) {
  script_.small_face = 48;
  finder_.configure({.tracking = false});
  for (int frame = 0; frame < 3; ++frame) {
    next();
    EXPECT_TRUE(script_.config.small_faces) << frame;
  }
}

TEST_F(FaceFinderTest, LooksForSmallFacesOnlyWhereItHelps) {
  next();
  EXPECT_FALSE(script_.config.small_faces);
}

TEST_F(FaceFinderTest, SmallFacesStayUntilTheNextCloserLook) {
  script_.small_face = 48;
  // Detected at half the size: a face of 80 pixels is one of 40 to the detector.
  frame_.width = 640;
  frame_.height = 360;
  const FaceFinderConfig config{.detect_width = 320, .small_face_interval = 4};
  finder_.configure(config);
  Face small = face_at(100), large = face_at(400);
  small.box.height = 80;
  script_.faces = {small, large};
  EXPECT_EQ(next().size(), 2u);
  script_.faces = {};
  for (int frame = 1; frame < 4; ++frame) {
    const auto faces = next();
    ASSERT_EQ(faces.size(), 1u) << frame;
    EXPECT_EQ(faces[0].track_id, 1u);
  }
  EXPECT_TRUE(next().empty()) << "looked for and not found";
  finder_.reset();
  script_.faces = {small};
  next();
  script_.faces = {face_at(400)};
  FaceFinderConfig one = config;
  one.max_faces = 1;
  finder_.configure(one);
  EXPECT_EQ(next().size(), 1u);
}

TEST_F(FaceFinderTest, IntervalMayChangeAnyTime) {
  finder_.configure({.interval = 1000});
  next();
  next();
  EXPECT_EQ(script_.runs, 1);
  finder_.configure({.interval = 1});
  next();
  EXPECT_EQ(script_.runs, 2);
}

TEST_F(FaceFinderTest, WithoutTrackingFacesHaveNoIdsAndAreNotPredicted) {
  finder_.configure({.interval = 2, .tracking = false});
  script_.faces = {face_at(100), face_at(400)};
  const auto seen = next();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].track_id, 0u);
  EXPECT_EQ(seen[1].box, script_.faces[1].box);
  EXPECT_TRUE(next().empty());
  EXPECT_EQ(next().size(), 2u);
}

TEST_F(FaceFinderTest, WeakDetectionsCarryATrackOnButStartNone) {
  script_.faces = {face_at(100, 0.4f)};
  EXPECT_TRUE(next().empty());
  script_.faces = {face_at(100, 0.7f)};
  EXPECT_EQ(next().size(), 1u);
  script_.faces = {face_at(101, 0.4f)};
  ASSERT_EQ(next().size(), 1u);
  EXPECT_LT(script_.config.score_threshold, 0.4f);
}

TEST_F(FaceFinderTest, ThresholdMayChangeWhileTracksGoOn) {
  script_.faces = {face_at(100, 0.7f)};
  const auto id = next().at(0).track_id;
  finder_.configure({.threshold = 0.9f});
  script_.faces = {face_at(100, 0.7f), face_at(500, 0.8f), face_at(900, 0.95f)};
  std::set<std::uint64_t> ids;
  for (const TrackedFace& face : next()) ids.insert(face.track_id);
  EXPECT_EQ(ids, (std::set<std::uint64_t>{id, id + 1}));
}

TEST_F(FaceFinderTest, LateFramesArePredictedButOneASecondIsDetected) {
  finder_.configure({.frame_rate = 25});
  script_.faces = {face_at(100)};
  EXPECT_FALSE(finder_.may_skip()) << "nothing is known yet";
  for (int frame = 0; frame < 100; ++frame) {
    ASSERT_EQ(next(true).size(), 1u) << frame;
    EXPECT_EQ(script_.runs, frame / 25 + 1) << frame;
  }
  next(false);
  next(false);
  EXPECT_EQ(script_.runs, 6);
}

TEST_F(FaceFinderTest, AFailedRunLeavesTheTracks) {
  script_.faces = {face_at(100)};
  const auto id = next().at(0).track_id;
  script_.broken = true;
  EXPECT_THROW(next(), std::runtime_error);
  EXPECT_EQ(finder_.predict().at(0).track_id, id);
  EXPECT_TRUE(finder_.due());
  script_.broken = false;
  EXPECT_EQ(next().at(0).track_id, id);
}

TEST_F(FaceFinderTest, AFewLostFramesLeaveTheTracksManyEndThem) {
  finder_.configure({.frame_rate = 25});
  script_.faces = {face_at(100)};
  const auto id = next().at(0).track_id;
  finder_.miss(20);
  EXPECT_EQ(next().at(0).track_id, id);
  finder_.miss(0);
  EXPECT_EQ(next().at(0).track_id, id);
  finder_.miss(251);
  EXPECT_EQ(next().at(0).track_id, id + 1);
}

TEST_F(FaceFinderTest, AfterASecondOfLostFramesAFaceIsTheSameWhereItWas) {
  finder_.configure({.interval = 3, .frame_rate = 25});
  script_.faces = {face_at(100), face_at(500)};
  next();
  finder_.miss(100);
  EXPECT_TRUE(finder_.due()) << "nobody knows what is there now";
  script_.faces = {face_at(104), face_at(570)};
  const auto faces = next();
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_EQ(faces[0].track_id, 1u);
  EXPECT_EQ(faces[1].track_id, 3u);
}

TEST_F(FaceFinderTest, AtAFrameInTwoSecondsAFaceKeepsItsId) {
  finder_.configure({.frame_rate = 0.5});
  for (int frame = 0; frame < 5; ++frame) {
    script_.faces = {face_at(100 + 5 * static_cast<float>(frame))};
    EXPECT_EQ(next().at(0).track_id, 1u) << frame;
  }
}

TEST_F(FaceFinderTest, ACutEndsTheTracks) {
  script_.small_face = 48;
  finder_.configure({.small_face_interval = 30});
  script_.faces = {face_at(100)};
  script_.picture.create(90, 160, CV_8UC1);
  cv::randu(script_.picture, 0, 256);
  const auto id = next().at(0).track_id;
  EXPECT_EQ(next().at(0).track_id, id);
  EXPECT_EQ(finder_.cuts(), 0u);
  // Another man in the same place.
  cv::Mat left = script_.picture.colRange(0, 80);
  script_.picture.colRange(80, 160).setTo(230);
  left.setTo(20);
  EXPECT_EQ(next().at(0).track_id, id + 1);
  EXPECT_EQ(finder_.cuts(), 1u);
  next();
  EXPECT_TRUE(script_.config.small_faces) << "the new scene has small faces of its own";
}

TEST_F(FaceFinderTest, LostFramesCountForTheInterval) {
  finder_.configure({.interval = 10, .frame_rate = 25});
  next();
  EXPECT_FALSE(finder_.due());
  finder_.miss(9);
  EXPECT_TRUE(finder_.due());
}

TEST_F(FaceFinderTest, TracksOutliveTwoMissesAtLongIntervals) {
  finder_.configure({.interval = 60, .frame_rate = 25});
  script_.faces = {face_at(100)};
  const auto id = next().at(0).track_id;
  const auto run_after_interval = [&] {
    for (int frame = 0; frame < 59; ++frame) next();
    return next();
  };
  script_.faces = {};
  EXPECT_TRUE(run_after_interval().empty());
  script_.faces = {face_at(100)};
  EXPECT_EQ(run_after_interval().at(0).track_id, id);
}

TEST_F(FaceFinderTest, ResetDetectsAtOnceAndGivesNewIds) {
  finder_.configure({.interval = 100});
  script_.faces = {face_at(100)};
  const auto id = next().at(0).track_id;
  next();
  finder_.reset();
  EXPECT_TRUE(finder_.due());
  EXPECT_EQ(next().at(0).track_id, id + 1);
  EXPECT_EQ(script_.runs, 2);
}

TEST_F(FaceFinderTest, SwitchingTrackingOffForgetsTheTracks) {
  script_.faces = {face_at(100)};
  const auto id = next().at(0).track_id;
  finder_.configure({.tracking = false});
  EXPECT_EQ(next().at(0).track_id, 0u);
  finder_.configure({.tracking = true});
  EXPECT_EQ(next().at(0).track_id, id + 1);
}

}  // namespace
}  // namespace fer
