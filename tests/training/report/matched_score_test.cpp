#include "report/matched_score.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

using json = nlohmann::ordered_json;

json entry(double correction, double valid, double accuracy, double macro_recall) {
  return {{"correction", correction},
          {"valid_accuracy", valid},
          {"accuracy", accuracy},
          {"macro_recall", macro_recall}};
}

json run(const json& curve) {
  return {{"method", "a"}, {"curve", curve}};
}

const json kSlow =
    run({entry(0, 0.40, 0.42, 0.50), entry(0.1, 0.50, 0.52, 0.40), entry(0.2, 0.45, 0.46, 0.30)});
const json kFast = run({entry(0, 0.60, 0.61, 0.55), entry(0.1, 0.70, 0.71, 0.45)});

TEST(MatchedScore, TheCommonAccuracyIsTheBestOfTheLeastAccurateRun) {
  EXPECT_FALSE(common_valid_accuracy(json::array()));
  EXPECT_FALSE(common_valid_accuracy({{{"method", "a"}}}));
  EXPECT_DOUBLE_EQ(*common_valid_accuracy({kSlow, kFast}), 0.50);
}

TEST(MatchedScore, LiesBetweenTheTwoCorrectionsAround) {
  const auto score = score_at(kSlow, 0.475);
  ASSERT_TRUE(score);
  EXPECT_NEAR(score->accuracy, 0.42 + 0.75 * 0.10, 1e-12);
  EXPECT_NEAR(score->macro_recall, 0.50 - 0.75 * 0.10, 1e-12);
}

TEST(MatchedScore, TakesTheOutputsAsTheyAreWhereTheyAreAccurateEnough) {
  EXPECT_DOUBLE_EQ(score_at(kFast, 0.50)->macro_recall, 0.55);
}

TEST(MatchedScore, TakesTheMostAccurateCorrectionWhereNoneIsEnough) {
  EXPECT_DOUBLE_EQ(score_at(kSlow, 0.9)->accuracy, 0.52);
  EXPECT_FALSE(score_at({{"method", "a"}}, 0.5));
}

}  // namespace
}  // namespace fer
