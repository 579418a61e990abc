#include "learn/detection/detection_loss.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "learn/detection/detection_targets.h"
#include "vision/detection_grid.h"

namespace fer {
namespace {

/// Maps and targets for an input of 32 x 32: 16 + 4 + 1 cells.
class LossTest : public testing::Test {
 protected:
  LossTest() {
    for (const int stride : kCellStrides)
      maps_.push_back(torch::zeros({1, kCellValues, 32 / stride, 32 / stride}));
    targets_ = torch::zeros({1, 21, kTargetValues});
    targets_.select(2, kTargetWeight).fill_(1);
  }

  /// The cell of the largest stride, cell 20, looks for a face of 16 x 16 px around (16, 16).
  void want_a_face(double score) {
    torch::Tensor cell = targets_[0][20];
    cell[kTargetScore] = score;
    cell.slice(0, kTargetBox, kTargetPoints).fill_(16);
    cell.slice(0, kTargetPoints, kTargetVisible).fill_(16);
    cell.slice(0, kTargetVisible).fill_(1);
  }
  /// It says so of a box of this size and a shift in pixels, and of all landmarks.
  void say(double logit, double size, double shift = 0, double points_shift = 0) {
    torch::Tensor map = maps_[2];
    map[0][0] = logit;
    map[0][1] = 0.5 + shift / 32;
    map[0][2] = 0.5;
    map[0][3] = std::log(size / 32);
    map[0][4] = std::log(16.0 / 32);
    for (int k = 0; k < 5; ++k) {
      map[0][5 + 2 * k] = 0.5 + points_shift / 32;
      map[0][6 + 2 * k] = 0.5;
    }
  }
  DetectionLoss loss() const { return detection_loss(maps_, targets_, {1, 2, 3}); }

  std::vector<torch::Tensor> maps_;
  torch::Tensor targets_;
};

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
/// Quality focal loss of one cell.
double focal(double logit, double quality) {
  const double p = sigmoid(logit);
  const double entropy = -quality * std::log(p) - (1 - quality) * std::log(1 - p);
  return (quality - p) * (quality - p) * entropy;
}

TEST_F(LossTest, WithoutFacesOnlyScoresCount) {
  const DetectionLoss l = loss();
  EXPECT_NEAR(l.score.item<double>(), 21 * focal(0, 0), 1e-4);
  EXPECT_EQ(l.box.item<double>(), 0);
  EXPECT_EQ(l.points.item<double>(), 0);
  EXPECT_NEAR(l.total.item<double>(), l.score.item<double>(), 1e-6);
}

TEST_F(LossTest, CellsWithoutWeightDoNotCount) {
  targets_[0].slice(0, 0, 16).select(1, kTargetWeight).fill_(0);
  EXPECT_NEAR(loss().score.item<double>(), 5 * focal(0, 0), 1e-4);
}

TEST_F(LossTest, AFaceThatIsRightCostsLittle) {
  want_a_face(0.9);
  for (auto& map : maps_) map.select(1, 0).fill_(-30);
  say(std::log(0.9 / 0.1), 16);
  const DetectionLoss l = loss();
  EXPECT_NEAR(l.iou.item<double>(), 1, 1e-4);
  EXPECT_NEAR(l.total.item<double>(), 0, 1e-4);
}

TEST_F(LossTest, ByHand) {
  want_a_face(0.8);
  for (auto& map : maps_) map.select(1, 0).fill_(-30);
  // 16 px wide, 8 px to the right: 8 x 16 of 24 x 16 shared; landmarks 4 px off.
  say(0.3, 16, 8, 4);
  const DetectionLoss l = loss();
  const double iou = 1.0 / 3;
  EXPECT_NEAR(l.iou.item<double>(), iou, 1e-5);
  const double diou = iou - 8.0 * 8 / (24.0 * 24 + 16.0 * 16);
  EXPECT_NEAR(l.box.item<double>(), 0.8 * (1 - diou), 1e-4);
  EXPECT_NEAR(l.score.item<double>(), focal(0.3, 0.8 * iou), 1e-4);
  // x of every landmark: 4 of 16 px, beyond the bend: 0.25 - 0.025.
  EXPECT_NEAR(l.points.item<double>(), 0.8 * 0.225, 1e-4);
  EXPECT_NEAR(l.total.item<double>(),
              l.score.item<double>() + 2 * l.box.item<double>() + 3 * l.points.item<double>(),
              1e-4);
}

TEST_F(LossTest, LandmarksOutOfSightDoNotCount) {
  want_a_face(0.8);
  say(0, 16, 0, 4);
  targets_[0][20].slice(0, kTargetVisible).fill_(0);
  EXPECT_EQ(loss().points.item<double>(), 0);
}

TEST_F(LossTest, ItsGradientLeadsToTheFace) {
  want_a_face(0.9);
  say(0, 10, 6, 5);
  for (auto& map : maps_) map.set_requires_grad(true);
  for (int i = 0; i < 1000; ++i) {
    const DetectionLoss l = loss();
    l.total.backward();
    torch::NoGradGuard no_grad;
    for (auto& map : maps_) {
      map.sub_(0.02 * map.grad());
      map.mutable_grad().zero_();
    }
  }
  EXPECT_GT(loss().iou.item<double>(), 0.9);
  std::vector<GridCandidate> faces;
  decode_cells(maps_[2].contiguous().data_ptr<float>(), 1, 1, 32, 0.6f, faces);
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_NEAR(faces[0].x, 8, 1);
  EXPECT_NEAR(faces[0].points[4], 16, 1);
}

TEST_F(LossTest, RefusesTargetsOfAnotherSize) {
  targets_ = torch::zeros({1, 20, kTargetValues});
  EXPECT_THROW(loss(), c10::Error);
}

}  // namespace
}  // namespace fer
