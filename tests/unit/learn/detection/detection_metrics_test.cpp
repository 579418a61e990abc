#include "learn/detection/detection_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fer {
namespace {

SceneFace face_at(float x, float height = 20) {
  SceneFace face;
  face.x = x;
  face.width = face.height = height;
  face.points = {x + 5, 5, x + 15, 5, x + 10, 10, x + 6, 15, x + 14, 15};  // eyes 10 px apart
  return face;
}

FoundFace found_at(float x, float score, float size = 20) {
  FoundFace found;
  found.x = x;
  found.width = found.height = size;
  found.score = score;
  return found;
}

TEST(DetectionScore, CountsWhatIsFoundMissedAndWrong) {
  DetectionScore score(0);
  score.add(std::vector{face_at(0), face_at(100)}, {found_at(2, 0.9f), found_at(300, 0.7f)});
  score.add({}, {found_at(0, 0.8f), found_at(50, 0.3f)});
  EXPECT_EQ(score.photos(), 2u);
  EXPECT_EQ(score.empty_photos(), 1u);
  EXPECT_EQ(score.faces(), 2u);
  EXPECT_DOUBLE_EQ(score.recall(0.5), 0.5);
  EXPECT_DOUBLE_EQ(score.recall(0.95), 0);
  EXPECT_DOUBLE_EQ(score.precision(0.5), 1.0 / 3);
  EXPECT_DOUBLE_EQ(score.precision(0.85), 1);
  EXPECT_DOUBLE_EQ(score.false_alarms(0.5), 1);
  EXPECT_DOUBLE_EQ(score.false_alarms(0.1), 2);
}

TEST(DetectionScore, OnlyOverlapsOfAHalfFind) {
  DetectionScore score(0);
  // Shifted by 6 of 20: 14 / 26 shared. By 8: 12 / 28.
  score.add(std::vector{face_at(0)}, {found_at(6, 0.9f)});
  score.add(std::vector{face_at(0)}, {found_at(8, 0.9f)});
  EXPECT_DOUBLE_EQ(score.recall(0.5), 0.5);
}

TEST(DetectionScore, AFaceIsFoundOnceByTheBest) {
  DetectionScore score(0);
  score.add(std::vector{face_at(0)}, {found_at(1, 0.6f), found_at(0, 0.9f)});
  EXPECT_DOUBLE_EQ(score.recall(0.8), 1);
  EXPECT_DOUBLE_EQ(score.precision(0.8), 1);
  EXPECT_DOUBLE_EQ(score.precision(0.5), 0.5);
}

TEST(DetectionScore, UnsureAndSmallFacesCountNeitherWay) {
  SceneFace unsure = face_at(0);
  unsure.sure = false;
  DetectionScore score(16);
  score.add(
      std::vector{unsure, face_at(100, 10), face_at(200)},
      {found_at(1, 0.9f), found_at(100, 0.9f, 10), found_at(5, 0.8f, 8), found_at(200, 0.9f)});
  EXPECT_EQ(score.faces(), 1u);
  EXPECT_DOUBLE_EQ(score.precision(0.5), 1);
  // At twice the size, the small face is large enough.
  DetectionScore larger(16);
  larger.add(std::vector{face_at(100, 10)}, {}, 2);
  EXPECT_EQ(larger.faces(), 1u);
}

TEST(DetectionScore, MeasuresLandmarksByTheEyes) {
  DetectionScore score(0);
  FoundFace found = found_at(0, 0.9f);
  found.has_points = true;
  found.points = face_at(0).points;
  found.points[4] += 5;  // one of five, half of the eyes' distance
  score.add(std::vector{face_at(0)}, {found});
  score.add(std::vector{face_at(0)}, {found_at(0, 0.9f)});  // no landmarks
  EXPECT_NEAR(score.points_error(0.5), 0.1, 1e-6);
  EXPECT_TRUE(std::isnan(score.points_error(0.95)));
  EXPECT_TRUE(std::isnan(score.points_error_median(0.95)));
  // One face of three that is far off moves the mean alone.
  found.points[4] += 1000;
  score.add(std::vector{face_at(0)}, {found});
  found.points = face_at(0).points;
  score.add(std::vector{face_at(0)}, {found});
  EXPECT_NEAR(score.points_error_median(0.5), 0.1, 1e-6);
  EXPECT_GT(score.points_error(0.5), 5);
}

TEST(DetectionScore, AveragePrecisionByHand) {
  DetectionScore score(0);
  // Right, wrong, right, and one face never found: (1 + 2/3) / 3.
  score.add(std::vector{face_at(0), face_at(100), face_at(200)},
            {found_at(0, 0.9f), found_at(400, 0.8f), found_at(100, 0.7f)});
  EXPECT_NEAR(score.average_precision(), (1 + 2.0 / 3) / 3, 1e-9);
  // F1 is best with all three: 2 * 2 / (3 + 3).
  EXPECT_FLOAT_EQ(static_cast<float>(score.best_score()), 0.7f);
}

TEST(DetectionScore, FindsTheScoreForARateOfFalseAlarms) {
  DetectionScore score(0);
  for (int i = 0; i < 10; ++i) {
    score.add({}, i < 3 ? std::vector{found_at(0, 0.5f + 0.1f * static_cast<float>(i))}
                        : std::vector<FoundFace>{});
  }
  EXPECT_LE(score.false_alarms(score.score_at(0.1)), 0.1);
  EXPECT_GT(score.score_at(0.1), 0.6 - 1e-6);
  EXPECT_LE(score.score_at(0.1), 0.7);
  EXPECT_EQ(score.score_at(0.3), 0);
  EXPECT_GT(score.score_at(0), 0.7);
}

}  // namespace
}  // namespace fer
