#include "stream/model_selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

namespace fer {
namespace {

using testing::HasSubstr;
using Tensors = std::map<std::string, torch::Tensor>;

Candidate candidate(const char* version, float weight, CanaryScore score) {
  return {{{"w", torch::tensor({weight, 0.f})}}, version, score};
}

float weight(const Tensors& weights) {
  return weights.at("w")[0].item<float>();
}

class ModelSelectorTest : public testing::Test {
 protected:
  ModelSelector selector_{candidate("source", 0, {0.6, 0.8}), /*margin=*/0.01,
                          /*rollback_margin=*/0.03};
};

TEST_F(ModelSelectorTest, BeginsWithTheSource) {
  EXPECT_TRUE(selector_.source_serves());
  EXPECT_EQ(selector_.serving().version, "source");
  EXPECT_FALSE(selector_.roll_back());
}

TEST_F(ModelSelectorTest, GoesBackByWhatServedBeforeToTheSource) {
  for (const char* version : {"1", "2", "3", "4", "5", "6"})
    selector_.promote(candidate(version, 1, {0.6, 0.8}));
  for (const char* version : {"5", "4", "3", "2"}) {
    EXPECT_TRUE(selector_.roll_back());
    EXPECT_EQ(selector_.serving().version, version);
  }
  // No more than four are kept.
  EXPECT_TRUE(selector_.roll_back());
  EXPECT_TRUE(selector_.source_serves());
  EXPECT_FALSE(selector_.roll_back());
}

TEST_F(ModelSelectorTest, MeasuresByTheBetterOfSourceAndServing) {
  selector_.promote(candidate("better", 1, {0.7, 0.79}));
  EXPECT_EQ(selector_.verdict_on({0.68, 0.8}), Verdict::kKeep) << "less than what serves";
  EXPECT_EQ(selector_.verdict_on({0.7, 0.785}), Verdict::kKeep) << "less than the source";
  EXPECT_EQ(selector_.verdict_on({0.7, 0.795}), Verdict::kPromote);
  EXPECT_EQ(selector_.verdict_on({0.8, 0.7}), Verdict::kRollBack);
  EXPECT_THAT(selector_.compared({0.68, 0.8}),
              HasSubstr("macro recall 68.0 % and accuracy 80.0 %, against macro recall 70.0 %"));
}

TEST_F(ModelSelectorTest, FindsTheFurthestPointThatMayServe) {
  // Each step away from the source costs accuracy: 3.8 points all the way.
  const auto score = [](const Tensors& weights) {
    return CanaryScore{0.6, 0.8 - 0.038 * weight(weights)};
  };
  const auto part = selector_.part_of_the_way(candidate("far", 1, {0.6, 0.762}), score);
  ASSERT_TRUE(part);
  EXPECT_STREQ(part->share, "a quarter");
  EXPECT_FLOAT_EQ(weight(part->candidate.weights), 0.25f);
  EXPECT_NEAR(part->candidate.score.accuracy, 0.7905, 1e-6);
  EXPECT_FALSE(selector_.part_of_the_way(candidate("farther", 4, {0.6, 0.6}), score));
  EXPECT_FLOAT_EQ(weight(selector_.serving().weights), 0) << "nothing was promoted";
}

TEST_F(ModelSelectorTest, GoesOnFromWhatACheckpointKept) {
  selector_.promote(candidate("1", 1, {0.6, 0.8}));
  selector_.restore(candidate("8", 8, {0.7, 0.8}));
  selector_.restore_earlier(candidate("7", 7, {0.65, 0.8}));
  EXPECT_EQ(selector_.serving().version, "8");
  EXPECT_TRUE(selector_.roll_back());
  EXPECT_EQ(selector_.serving().version, "7");
  selector_.reset();
  EXPECT_TRUE(selector_.source_serves());
  EXPECT_FALSE(selector_.roll_back());
}

}  // namespace
}  // namespace fer
