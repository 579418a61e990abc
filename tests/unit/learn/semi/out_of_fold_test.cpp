#include "learn/semi/out_of_fold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace fer {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

/// Rows of two classes: the probability of class 1, and the label.
OutOfFold two_classes(const std::vector<std::pair<double, int>>& rows) {
  OutOfFold all;
  all.classes = 2;
  for (const auto& [p, label] : rows) {
    all.probabilities.insert(all.probabilities.end(), {1 - p, p});
    all.labels.push_back(label);
  }
  return all;
}

TEST(PrecisionThresholds, AreTheLeastConfidenceAtWhichTheBoundHolds) {
  // Predicted as 1, surest first: right, right, right, wrong, right, wrong. Without a margin the
  // precision is 1, 1, 1, .75, .8, .67: the last that reaches .75 is the fifth.
  const OutOfFold rows = two_classes(
      {{0.95, 1}, {0.9, 1}, {0.85, 1}, {0.8, 0}, {0.7, 1}, {0.6, 0}, {0.1, 0}, {0.3, 0}});
  EXPECT_THAT(precision_thresholds(rows, {.rho = 0.75, .z = 0}),
              ElementsAre(DoubleNear(0.7, 1e-12), DoubleNear(0.7, 1e-12)));
  // At one deviation three of three have 3/4, and no further row reaches it again.
  EXPECT_THAT(precision_thresholds(rows, {.rho = 0.75, .z = 1})[1], DoubleNear(0.85, 1e-12));
}

TEST(PrecisionThresholds, AcceptTheSurestTenthWhereNoThresholdHolds) {
  std::vector<std::pair<double, int>> rows;
  for (int i = 0; i < 20; ++i) rows.emplace_back(0.6 + 0.01 * i, 0);  // All wrong.
  EXPECT_THAT(precision_thresholds(two_classes(rows), {.rho = 0.7, .z = 1, .top = 0.1})[1],
              DoubleNear(0.78, 1e-12));
  // No row is predicted as 0.
  EXPECT_GT(precision_thresholds(two_classes(rows), {})[0], 1);
}

TEST(PrecisionThresholds, TakeEqualConfidencesTogether) {
  const OutOfFold rows = two_classes({{0.9, 1}, {0.9, 0}, {0.9, 0}});
  EXPECT_GT(precision_thresholds(rows, {.rho = 0.9, .z = 0, .top = 0})[1], 1);
}

TEST(PrecisionThresholds, CountRowsAsOftenAsTheMixHasThem) {
  // Two right rows and one wrong: 2/3. With class 0 nine times as frequent as class 1 the wrong row
  // outweighs them, and only the surest row stands before it.
  const OutOfFold rows = two_classes({{0.9, 1}, {0.8, 0}, {0.7, 1}});
  EXPECT_NEAR(precision_thresholds(rows, {.rho = 0.6, .z = 0})[1], 0.7, 1e-12);
  EXPECT_NEAR(precision_thresholds(rows, {.rho = 0.6, .z = 0}, std::vector{0.9, 0.1})[1], 0.9,
              1e-12);
}

TEST(ConformalQuantiles, AreTheRankThatTheGuaranteeAllows) {
  std::vector<std::pair<double, int>> rows;
  for (int i = 1; i <= 19; ++i) rows.emplace_back(i / 20.0, 1);
  // ⌊0.1 · 20⌋ = 2: the second smallest. Class 0 has no rows.
  EXPECT_THAT(conformal_quantiles(two_classes(rows), 0.1), ElementsAre(0, DoubleNear(0.1, 1e-12)));
  // ⌊0.04 · 20⌋ = 0: nothing can be promised.
  EXPECT_THAT(conformal_quantiles(two_classes(rows), 0.04), ElementsAre(0, 0));
  EXPECT_NEAR(conformal_quantiles(two_classes(rows), 0.05)[1], 0.05, 1e-12);
}

TEST(FittedTemperature, CoolsWhatIsTooSureAndLeavesWhatIsCalibrated) {
  // Always sure by 0.9, right in 9 of 10: calibrated.
  std::vector<std::pair<double, int>> rows;
  for (int i = 0; i < 10; ++i) rows.emplace_back(0.9, i > 0);
  EXPECT_NEAR(fitted_temperature(two_classes(rows)), 1, 1e-3);
  // Right in 6 of 10: log(9) / log(1.5).
  for (int i = 0; i < 10; ++i) rows[static_cast<std::size_t>(i)].second = i > 3;
  EXPECT_NEAR(fitted_temperature(two_classes(rows)), std::log(9.0) / std::log(1.5), 1e-2);
}

TEST(Tempered, DividesTheLogits) {
  // Odds of 9 become 3 at a temperature of 2.
  EXPECT_THAT(tempered(std::vector{0.1, 0.9}, 2, 2),
              ElementsAre(DoubleNear(0.25, 1e-12), DoubleNear(0.75, 1e-12)));
}

TEST(EstimatedMix, FindsTheMixThatTheRowsHave) {
  // Two likelihoods, of odds 4 and 1/4 between the classes, as a face of each class shows them in 4
  // of 5 cases. A mix of 0.9 and 0.1 shows the first in 0.9 · 0.8 + 0.1 · 0.2 = 0.74.
  std::vector<double> p;
  for (int i = 0; i < 100; ++i) {
    const double first = i < 74 ? 0.8 : 0.2;
    p.insert(p.end(), {first, 1 - first});
  }
  const auto mix = estimated_mix(p, std::vector{0.5, 0.5}, 0);
  EXPECT_NEAR(mix[0], 0.9, 1e-3);
  EXPECT_NEAR(mix[1], 0.1, 1e-3);
  EXPECT_THAT(estimated_mix({}, std::vector{0.3, 0.7}), ElementsAre(0.3, 0.7));
}

TEST(UnderMix, MultipliesTheOdds) {
  // Odds 1 : 1 under equal classes are 3 : 1 where the first is three times as frequent.
  EXPECT_THAT(under_mix(std::vector{0.5, 0.5}, std::vector{0.5, 0.5}, std::vector{0.75, 0.25}),
              ElementsAre(DoubleNear(0.75, 1e-12), DoubleNear(0.25, 1e-12)));
}

}  // namespace
}  // namespace fer
