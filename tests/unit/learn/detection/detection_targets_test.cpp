#include "learn/detection/detection_targets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace fer {
namespace {

constexpr int kSide = 128;

ViewFace face_at(float x, float y, float size, float score = 0.9f) {
  ViewFace face;
  face.x = x - size / 2;
  face.y = y - size / 2;
  face.width = face.height = size;
  face.score = score;
  for (std::size_t k = 0; k < 10; ++k) face.points[k] = static_cast<float>(k);
  face.visible = {true, true, false, true, true};
  return face;
}

/// The targets of some faces, by map, column and row.
class Targets {
 public:
  explicit Targets(const std::vector<ViewFace>& faces)
      : values_(cell_count(kSide, kSide) * kTargetValues) {
    make_targets(faces, kSide, kSide, {}, values_);
  }

  const float* at(int stride, int column, int row) const {
    std::size_t first = 0;
    for (int s = 8; s < stride; s *= 2) first += static_cast<std::size_t>(kSide / s * (kSide / s));
    return values_.data() +
           (first + static_cast<std::size_t>(row * (kSide / stride) + column)) * kTargetValues;
  }
  int count(int stride, int value, float wanted) const {
    int n = 0;
    for (int row = 0; row < kSide / stride; ++row)
      for (int column = 0; column < kSide / stride; ++column)
        n += at(stride, column, row)[value] == wanted;
    return n;
  }

 private:
  std::vector<float> values_;
};

TEST(Targets, WithoutFacesEveryCellLearnsThat) {
  const Targets targets({});
  EXPECT_EQ(cell_count(kSide, kSide), 256u + 64u + 16u);
  for (const int stride : {8, 16, 32}) {
    const int cells = kSide / stride * (kSide / stride);
    EXPECT_EQ(targets.count(stride, kTargetScore, 0), cells);
    EXPECT_EQ(targets.count(stride, kTargetWeight, 1), cells);
  }
}

TEST(Targets, CellsInTheMiddleLookForTheFace) {
  // 40 px around (68, 60), where a cell of stride 8 has its centre: only stride 8 and 16 see it.
  const Targets targets({face_at(68, 60, 40)});
  EXPECT_EQ(targets.count(8, kTargetScore, 0.9f), 9);  // centres within 10 px
  EXPECT_EQ(targets.count(16, kTargetScore, 0.9f), 1);
  EXPECT_EQ(targets.count(32, kTargetScore, 0.9f), 0);
  const float* cell = targets.at(8, 8, 7);
  EXPECT_EQ(cell[kTargetScore], 0.9f);
  EXPECT_EQ(cell[kTargetWeight], 1);
  EXPECT_EQ(cell[kTargetBox], 68);
  EXPECT_EQ(cell[kTargetBox + 1], 60);
  EXPECT_EQ(cell[kTargetBox + 2], 40);
  EXPECT_EQ(cell[kTargetPoints + 9], 9);
  EXPECT_EQ(cell[kTargetVisible], 1);
  EXPECT_EQ(cell[kTargetVisible + 2], 0);
}

TEST(Targets, LargeFacesBelongToTheCoarseMap) {
  const Targets targets({face_at(65, 65, 110)});
  EXPECT_EQ(targets.count(8, kTargetScore, 0.9f), 0);
  EXPECT_EQ(targets.count(16, kTargetScore, 0.9f), 9);  // reach: 1.5 strides, not a quarter of it
  EXPECT_EQ(targets.count(32, kTargetScore, 0.9f), 4);
}

TEST(Targets, ATinyFaceHasACell) {
  const Targets targets({face_at(64, 64, 9)});
  EXPECT_EQ(targets.count(8, kTargetScore, 0.9f), 1);
  EXPECT_EQ(targets.at(8, 8, 8)[kTargetScore], 0.9f);
}

TEST(Targets, ACellThatTwoClaimTakesTheSmaller) {
  const Targets targets({face_at(68, 60, 20, 0.5f), face_at(68, 60, 40)});
  EXPECT_EQ(targets.at(8, 8, 7)[kTargetScore], 0.5f);
  EXPECT_EQ(targets.count(8, kTargetScore, 0.5f), 1);
  EXPECT_EQ(targets.count(8, kTargetScore, 0.9f), 8);
}

TEST(Targets, NothingIsLearnedWhereAFaceIsUnsureOrTooSmall) {
  ViewFace unsure = face_at(64, 64, 32);
  unsure.sure = false;
  for (const std::vector<ViewFace>& faces : {std::vector{unsure}, {face_at(64, 64, 7)}}) {
    const Targets targets(faces);
    EXPECT_EQ(targets.at(8, 8, 8)[kTargetWeight], 0);
    EXPECT_EQ(targets.at(32, 1, 1)[kTargetWeight], 0);
    EXPECT_EQ(targets.at(8, 0, 0)[kTargetWeight], 1);
    EXPECT_EQ(targets.count(8, kTargetScore, 0), 256);
  }
}

TEST(Targets, ASureFaceIsLearnedInsideAnUnsureOne) {
  ViewFace unsure = face_at(64, 64, 100);
  unsure.sure = false;
  const Targets targets({face_at(68, 60, 20), unsure});
  EXPECT_EQ(targets.at(8, 8, 7)[kTargetWeight], 1);
  EXPECT_EQ(targets.at(8, 8, 7)[kTargetScore], 0.9f);
  EXPECT_EQ(targets.at(8, 5, 5)[kTargetWeight], 0);
}

}  // namespace
}  // namespace fer
