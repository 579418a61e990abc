#include "evaluation/reliability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "training/evaluation/drawn_predictions.h"

namespace fer {
namespace {

using testing::ElementsAre;

/// A face of class 0 or 1 that is predicted as class 0 with this probability.
test::DrawnFace face(bool right, float confidence) {
  return {right ? 0 : 1, {confidence, 1 - confidence}};
}

TEST(BinsOfEqualWidth, HoldWhatLiesAboveTheirLowerEnd) {
  const std::vector<float> confidences{0.f, 0.2f, 0.25f, 0.26f, 0.5f, 0.51f, 0.75f, 0.99f, 1.f};
  EXPECT_THAT(bins_of(confidences, Binning::kEqualWidth, 4),
              ElementsAre(0, 0, 0, 1, 1, 2, 2, 3, 3));
}

TEST(BinsOfEqualMass, HoldTheSameNumberByRank) {
  const std::vector<float> confidences{0.9f, 0.1f, 0.5f, 0.95f, 0.5f, 0.97f};
  EXPECT_THAT(bins_of(confidences, Binning::kEqualMass, 3), ElementsAre(1, 0, 0, 2, 1, 2));
  EXPECT_THAT(bins_of(confidences, Binning::kEqualMass, 2), ElementsAre(1, 0, 0, 1, 0, 1));
}

TEST(Reliability, ComparesConfidenceWithAccuracyBinByBin) {
  const Predictions p = test::drawn_predictions(
      {"neutral", "fear"}, {face(true, 0.95f), face(true, 0.95f), face(false, 0.95f),
                            face(false, 0.85f), face(true, 0.65f)});
  const auto bins = reliability(p, Binning::kEqualWidth, 10);
  ASSERT_EQ(bins.size(), 3u) << "empty bins are left out";
  EXPECT_EQ(bins[0].faces, 1u);
  EXPECT_NEAR(bins[0].confidence, 0.65, 1e-6);
  EXPECT_EQ(bins[0].accuracy, 1);
  EXPECT_EQ(bins[1].faces, 1u);
  EXPECT_EQ(bins[1].accuracy, 0);
  EXPECT_EQ(bins[2].faces, 3u);
  EXPECT_NEAR(bins[2].confidence, 0.95, 1e-6);
  EXPECT_NEAR(bins[2].accuracy, 2 / 3., 1e-9);
  // (1 · .35 + 1 · .85 + 3 · .28333) / 5
  EXPECT_NEAR(expected_calibration_error(bins), 0.41, 1e-6);

  // By rank, two bins: {.65, .85, .95} and {.95, .95}, of which the earlier .95 ranks lower.
  const auto halves = reliability(p, Binning::kEqualMass, 2);
  ASSERT_EQ(halves.size(), 2u);
  EXPECT_EQ(halves[0].faces, 3u);
  EXPECT_NEAR(halves[0].min_confidence, 0.65, 1e-6);
  EXPECT_NEAR(halves[0].max_confidence, 0.95, 1e-6);
  EXPECT_NEAR(halves[0].confidence, 2.45 / 3, 1e-6);
  EXPECT_NEAR(halves[0].accuracy, 2 / 3., 1e-9);
  EXPECT_NEAR(halves[1].accuracy, 0.5, 1e-9);
  // (3 · |.81667 - .66667| + 2 · |.95 - .5|) / 5
  EXPECT_NEAR(expected_calibration_error(halves), 0.27, 1e-6);
}

TEST(Reliability, OfAModelThatIsAsOftenRightAsItSaysIsPerfect) {
  std::vector<test::DrawnFace> faces;
  for (int i = 0; i < 10; ++i) faces.push_back(face(i < 8, 0.8f));
  const Predictions p = test::drawn_predictions({"neutral", "fear"}, faces);
  EXPECT_NEAR(expected_calibration_error(reliability(p, Binning::kEqualWidth)), 0, 1e-6);
  EXPECT_EQ(expected_calibration_error({}), 0);
}

}  // namespace
}  // namespace fer
