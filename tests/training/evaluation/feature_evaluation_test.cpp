#include "evaluation/feature_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/tiny_dataset.h"
#include "error_of.h"
#include "learn/features/feature_file.h"
#include "scoped.h"

namespace fer {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;

/// Three of class 0, whose logits lead by 1, -0.5 and 1, and one of class 1, whose lead by 0.5.
SplitLogits four_rows() {
  return {{"neutral", "happiness"}, {1, 0, 0, 0.5f, 1, 0, 0, 0.5f}, {0, 0, 0, 1}};
}

TEST(CorrectedConfusion, AddsTheLogOfTheMix) {
  const SplitLogits rows = four_rows();
  const std::vector<double> mix = mix_of(rows);
  EXPECT_THAT(mix, ElementsAre(0.75, 0.25));
  EXPECT_NEAR(corrected_confusion(rows, mix, 0).accuracy(), 0.75, 1e-12);
  // At γ = 0.5 the first class gains ½ log 3 = 0.55: all rows are taken as it.
  const Confusion all = corrected_confusion(rows, mix, 0.5);
  EXPECT_NEAR(all.accuracy(), 0.75, 1e-12);
  EXPECT_NEAR(all.macro_recall(), 0.5, 1e-12);
}

TEST(CorrectionCurve, HasTheSmallestBestCorrection) {
  const SplitLogits rows = four_rows();
  const auto curve = correction_curve(rows, mix_of(rows));
  ASSERT_EQ(curve.size(), 16u);
  EXPECT_EQ(curve.front().gamma, 0);
  EXPECT_NEAR(curve.front().macro_recall, 5.0 / 6, 1e-12);
  EXPECT_EQ(best_correction(curve).gamma, 0);
}

TEST(PredictionsOf, AreTheSoftmaxOfEachFace) {
  SplitLogits rows = four_rows();
  rows.images = {"a.png", "b.png", "c.png", "d.png"};
  const Predictions all = predictions_of(rows);
  EXPECT_EQ(all.size(), 4u);
  EXPECT_EQ(all.images[3], "d.png");
  EXPECT_EQ(all.truth[3], 1);
  EXPECT_NEAR(all.row(0)[0], std::exp(1) / (1 + std::exp(1)), 1e-6);
  EXPECT_EQ(all.predicted(1), 1);
}

TEST(FeatureLogits, RefuseAModelOfAnotherStart) {
  const test::ScopedFolder folder;
  const auto start = test::train_tiny_model(folder.path() / "start");
  write_packed(folder.path() / "faces", test::tiny_info(), test::tiny_rows(6));
  const PackedDataset faces(folder.path() / "faces");
  FeatureConfig config;
  config.blocks = 1;
  ASSERT_TRUE(write_features(folder.path() / "features", faces, start, config,
                             [](std::size_t, std::size_t) { return true; }));
  const PackedDataset features(folder.path() / "features");
  EXPECT_THAT(test::error_of([&] { split_logits(start, features, "test"); }),
              HasSubstr("trained above the features"));
}

}  // namespace
}  // namespace fer
