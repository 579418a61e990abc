#include "known-faces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fer {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

FaceRecord face(guint64 track_id, double side = 0.2) {
  FaceRecord record;
  record.track_id = track_id;
  record.w = record.h = side;
  return record;
}

Expression saying(std::vector<float> probabilities, const std::string& version = "v1") {
  Expression expression;
  expression.probabilities = std::move(probabilities);
  expression.labels = {"calm", "glad"};
  expression.model_version = version;
  return expression;
}

ReclassifyRules every(guint interval, const std::string& version = "v1") {
  return {interval, version};
}

class Known : public testing::Test {
 protected:
  void SetUp() override { faces_.next_frame(); }

  /// Learns the face of a track in this frame.
  void learn(guint64 track_id, double side = 0.2) {
    FaceRecord record = face(track_id, side);
    faces_.learn(record, saying({0.3f, 0.7f}), 0);
  }
  void pass(int frames) {
    for (int i = 0; i < frames; ++i) faces_.next_frame();
  }

  KnownFaces faces_;
};

TEST_F(Known, FacesAreDueUntilTheyAreLearnt) {
  EXPECT_TRUE(faces_.due(face(1), every(5)));
  learn(1);
  EXPECT_FALSE(faces_.due(face(1), every(5)));
  EXPECT_TRUE(faces_.due(face(2), every(5)));
}

TEST_F(Known, FacesAreDueEveryFewFrames) {
  learn(1);
  pass(4);
  EXPECT_FALSE(faces_.due(face(1), every(5)));
  pass(1);
  EXPECT_TRUE(faces_.due(face(1), every(5)));
  learn(1);
  EXPECT_FALSE(faces_.due(face(1), every(5)));
  pass(1);
  EXPECT_TRUE(faces_.due(face(1), every(1)));
}

TEST_F(Known, FacesAreDueOnceWhereTheIntervalIsNought) {
  learn(1);
  FaceRecord seen = face(1);
  for (int i = 0; i < 1000; ++i) {
    pass(1);
    ASSERT_FALSE(faces_.due(seen, every(0)));
    ASSERT_TRUE(faces_.recall(seen));
  }
  EXPECT_EQ(seen.expression->age, 1000u);
}

TEST_F(Known, FacesAreDueWhenTheyGrewByAQuarter) {
  learn(1, 0.2);
  EXPECT_FALSE(faces_.due(face(1, 0.2 * 1.24), every(100)));
  EXPECT_TRUE(faces_.due(face(1, 0.2 * 1.26), every(100)));
  EXPECT_FALSE(faces_.due(face(1, 0.1), every(100))) << "a smaller one shows no more";
  FaceRecord wide = face(1, 0.2);
  wide.w = 0.26;
  EXPECT_TRUE(faces_.due(wide, every(100)));
  // Growth counts from the last time it was inferred.
  learn(1, 0.26);
  EXPECT_FALSE(faces_.due(face(1, 0.26), every(100)));
}

TEST_F(Known, FacesAreDueUnderAnotherModel) {
  learn(1);
  EXPECT_FALSE(faces_.due(face(1), every(100, "v1")));
  EXPECT_TRUE(faces_.due(face(1), every(100, "v2")));
}

TEST_F(Known, FacesWithoutATrackAreAlwaysDueAndNeverKept) {
  learn(0);
  EXPECT_TRUE(faces_.due(face(0), every(100)));
  FaceRecord again = face(0);
  EXPECT_FALSE(faces_.recall(again));
  EXPECT_EQ(faces_.size(), 0u);
}

TEST_F(Known, ExpressionsAreSetAndComeBackWithTheirAge) {
  FaceRecord record = face(1);
  faces_.learn(record, saying({0.3f, 0.7f}), 0);
  ASSERT_TRUE(record.expression);
  EXPECT_EQ(record.expression->label, "glad");
  EXPECT_EQ(record.expression->label_id, 1);
  EXPECT_EQ(record.expression->age, 0u);
  pass(3);
  FaceRecord later = face(1);
  ASSERT_TRUE(faces_.recall(later));
  EXPECT_EQ(later.expression->label, "glad");
  EXPECT_EQ(later.expression->model_version, "v1");
  EXPECT_THAT(later.expression->probabilities, ElementsAre(0.3f, 0.7f));
  EXPECT_EQ(later.expression->age, 3u);
  FaceRecord stranger = face(2);
  EXPECT_FALSE(faces_.recall(stranger));
  EXPECT_FALSE(stranger.expression);
}

TEST_F(Known, ProbabilitiesAreSmoothed) {
  FaceRecord record = face(1);
  faces_.learn(record, saying({1, 0}), 0.75);
  EXPECT_THAT(record.expression->probabilities, ElementsAre(1, 0)) << "nothing to smooth with";
  faces_.learn(record, saying({0, 1}), 0.75);
  EXPECT_THAT(record.expression->probabilities,
              ElementsAre(FloatNear(0.75f, 1e-6f), FloatNear(0.25f, 1e-6f)));
  EXPECT_EQ(record.expression->label, "calm");
  faces_.learn(record, saying({0, 1}), 0.75);
  faces_.learn(record, saying({0, 1}), 0.75);
  EXPECT_THAT(record.expression->probabilities,
              ElementsAre(FloatNear(0.421875f, 1e-6f), FloatNear(0.578125f, 1e-6f)));
  EXPECT_EQ(record.expression->label, "glad");
  faces_.learn(record, saying({1, 0}), 0);
  EXPECT_THAT(record.expression->probabilities, ElementsAre(1, 0));
}

TEST_F(Known, TracksAreSmoothedEachByItself) {
  FaceRecord one = face(1), two = face(2);
  faces_.learn(one, saying({1, 0}), 0.5);
  faces_.learn(two, saying({0, 1}), 0.5);
  EXPECT_THAT(two.expression->probabilities, ElementsAre(0, 1));
}

TEST_F(Known, AModelOfOtherClassesStartsAnew) {
  FaceRecord record = face(1);
  faces_.learn(record, saying({1, 0}), 0.5);
  Expression other = saying({0, 0, 1});
  other.labels = {"calm", "glad", "cross"};
  faces_.learn(record, other, 0.5);
  EXPECT_THAT(record.expression->probabilities, ElementsAre(0, 0, 1));
  EXPECT_EQ(record.expression->label, "cross");
}

TEST_F(Known, UnseenTracksAreForgotten) {
  learn(1);
  learn(2);
  for (guint64 i = 0; i < KnownFaces::kForgetAfter; ++i) {
    pass(1);
    FaceRecord seen = face(2);
    faces_.recall(seen);
  }
  EXPECT_EQ(faces_.size(), 2u);
  pass(1);
  EXPECT_EQ(faces_.size(), 1u);
  FaceRecord gone = face(1);
  EXPECT_FALSE(faces_.recall(gone));
}

TEST_F(Known, TheirNumberIsBounded) {
  learn(1);
  pass(1);
  for (guint64 id = 2; id < KnownFaces::kMaxTracks + 2; ++id) learn(id);
  EXPECT_EQ(faces_.size(), KnownFaces::kMaxTracks);
  FaceRecord oldest = face(1), newest = face(KnownFaces::kMaxTracks + 1);
  EXPECT_FALSE(faces_.recall(oldest)) << "the one that was seen longest ago goes";
  EXPECT_TRUE(faces_.recall(newest));
}

TEST_F(Known, AreForgottenTogether) {
  learn(1);
  faces_.clear();
  EXPECT_EQ(faces_.size(), 0u);
  EXPECT_TRUE(faces_.due(face(1), every(100)));
}

}  // namespace
}  // namespace fer
