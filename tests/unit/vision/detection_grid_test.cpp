#include "vision/detection_grid.h"

#include <gtest/gtest.h>

#include <limits>

namespace fer {
namespace {

/// One map of 3 columns and 2 rows, all cells sure that there is nothing.
struct Map {
  static constexpr int kColumns = 3, kRows = 2;
  std::vector<float> values = std::vector<float>(kCellValues * kColumns * kRows, 0);

  Map() { std::fill_n(values.begin(), kColumns * kRows, -20.f); }
  float& at(int value, int column, int row) {
    return values[static_cast<std::size_t>((value * kRows + row) * kColumns + column)];
  }
  std::vector<GridCandidate> decoded(int stride, float min) const {
    std::vector<GridCandidate> faces;
    decode_cells(values.data(), kRows, kColumns, stride, min, faces);
    return faces;
  }
};

TEST(DetectionGrid, DecodesByHand) {
  Map map;
  map.at(0, 2, 1) = std::log(0.8f / 0.2f);
  map.at(1, 2, 1) = 0.25f;          // centre x: (2 + 0.25) * 16
  map.at(2, 2, 1) = 0.5f;           // centre y: (1 + 0.5) * 16
  map.at(3, 2, 1) = std::log(2.f);  // 32 px wide
  map.at(4, 2, 1) = std::log(3.f);  // 48 px high
  map.at(5, 2, 1) = -0.5f;          // right eye
  map.at(6, 2, 1) = 0.125f;
  map.at(14, 2, 1) = 1;  // y of the left corner of the mouth
  const std::vector<GridCandidate> faces = map.decoded(16, 0.5f);
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_FLOAT_EQ(faces[0].score, 0.8f);
  EXPECT_FLOAT_EQ(faces[0].x, 36 - 16);
  EXPECT_FLOAT_EQ(faces[0].y, 24 - 24);
  EXPECT_FLOAT_EQ(faces[0].width, 32);
  EXPECT_FLOAT_EQ(faces[0].height, 48);
  EXPECT_FLOAT_EQ(faces[0].points[0], 24);
  EXPECT_FLOAT_EQ(faces[0].points[1], 18);
  EXPECT_FLOAT_EQ(faces[0].points[9], 32);
  EXPECT_TRUE(map.decoded(16, 0.81f).empty());
}

TEST(DetectionGrid, LeavesOutWhatIsNoNumber) {
  Map map;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  map.at(0, 0, 0) = nan;
  map.at(0, 1, 0) = 5;
  map.at(3, 1, 0) = nan;
  map.at(0, 2, 0) = 5;
  map.at(1, 2, 0) = std::numeric_limits<float>::infinity();
  map.at(0, 0, 1) = 5;
  map.at(3, 0, 1) = 1e30f;  // a size is bounded
  const std::vector<GridCandidate> faces = map.decoded(8, 0.5f);
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_LT(faces[0].width, 1e6f);
}

TEST(DetectionGrid, KeepsTheBestGuessOfEachFace) {
  const GridCandidate good{0, 0, 10, 10, 0.9f, {}}, worse{1, 1, 10, 10, 0.8f, {}},
      beside{9, 0, 10, 10, 0.7f, {}}, apart{50, 0, 10, 10, 0.95f, {}};
  const std::vector<GridCandidate> faces = best_candidates({worse, good, beside, apart});
  ASSERT_EQ(faces.size(), 3u);
  EXPECT_EQ(faces[0].x, 50);
  EXPECT_EQ(faces[1].score, 0.9f);
  EXPECT_EQ(faces[2].x, 9);
  EXPECT_TRUE(best_candidates({}).empty());
}

TEST(DetectionGrid, OverlapByHand) {
  const GridCandidate a{0, 0, 10, 10, 1, {}}, b{5, 0, 10, 10, 1, {}}, far{20, 0, 5, 5, 1, {}};
  EXPECT_DOUBLE_EQ(shared_area(a, b), 50);
  EXPECT_DOUBLE_EQ(box_iou(a, b), 50.0 / 150);
  EXPECT_DOUBLE_EQ(box_iou(a, a), 1);
  EXPECT_DOUBLE_EQ(box_iou(a, far), 0);
  EXPECT_DOUBLE_EQ(box_iou(GridCandidate{}, GridCandidate{}), 0);
}

TEST(DetectionGrid, SidesArePadded) {
  EXPECT_EQ(padded_side(1, 32, 32), 32);
  EXPECT_EQ(padded_side(32, 32, 32), 32);
  EXPECT_EQ(padded_side(33, 32, 32), 64);
  EXPECT_EQ(padded_side(33, 32, 128), 128);
}

}  // namespace
}  // namespace fer
