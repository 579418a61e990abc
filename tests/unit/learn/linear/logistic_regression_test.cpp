#include "learn/linear/logistic_regression.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <stdexcept>

namespace fer {
namespace {

TEST(LogisticRegression, GivesTheSharesOfTheClassesWhereFeaturesSayNothing) {
  const auto fitted = LogisticRegression::fit(torch::ones({4, 2}), torch::tensor({0, 0, 0, 1}), 2);
  const torch::Tensor p = fitted.probabilities(torch::ones({1, 2}));
  EXPECT_NEAR(p[0][0].item<double>(), 0.75, 1e-6);
  EXPECT_NEAR(p[0][1].item<double>(), 0.25, 1e-6);
}

TEST(LogisticRegression, FindsTheMinimumThatIsKnownForTwoPoints) {
  // Rows -1 and 1, standardised as they are. By symmetry W = (-w, w), b = 0, and the objective is
  // log(1 + e^(-2w)) + l2 w²; its derivative is zero where l2 w (1 + e^(2w)) = 1: w = 1 for
  // l2 = 1 / (1 + e²).
  LogisticRegressionConfig config;
  config.l2 = 1 / (1 + std::exp(2.0));
  const auto fitted =
      LogisticRegression::fit(torch::tensor({{-1.0}, {1.0}}), torch::tensor({0, 1}), 2, config);
  EXPECT_NEAR(fitted.weight()[0][0].item<double>(), -1, 1e-5);
  EXPECT_NEAR(fitted.weight()[1][0].item<double>(), 1, 1e-5);
  EXPECT_NEAR(fitted.bias()[0].item<double>(), fitted.bias()[1].item<double>(), 1e-6);
}

TEST(LogisticRegression, DoesNotDependOnTheFeaturesScale) {
  torch::manual_seed(1);
  const torch::Tensor x = torch::randn({30, 3});
  const torch::Tensor labels = torch::arange(30, torch::kLong).remainder(3);
  const torch::Tensor moved = x * torch::tensor({1000.0, 1.0, 0.001}) + 5;
  const torch::Tensor a = LogisticRegression::fit(x, labels, 3).probabilities(x);
  const torch::Tensor b = LogisticRegression::fit(moved, labels, 3).probabilities(moved);
  EXPECT_TRUE(torch::allclose(a, b, 1e-3, 1e-3));
}

TEST(LogisticRegression, CountsRowsByTheirWeights) {
  const torch::Tensor x = torch::tensor({{0.0}, {1.0}, {2.0}, {2.0}});
  const torch::Tensor labels = torch::tensor({0, 0, 1, 0});
  const torch::Tensor twice = torch::cat({x, x.slice(0, 2, 3)});
  const auto by_weight =
      LogisticRegression::fit(x, labels, 2, {}, torch::tensor({1.0, 1.0, 2.0, 1.0}));
  const auto by_rows =
      LogisticRegression::fit(twice, torch::cat({labels, labels.slice(0, 2, 3)}), 2);
  EXPECT_TRUE(torch::allclose(by_weight.weight(), by_rows.weight(), 1e-4, 1e-5));
}

TEST(LogisticRegression, RefusesWhatItCannotFit) {
  const torch::Tensor x = torch::ones({2, 1});
  EXPECT_THROW(LogisticRegression::fit(torch::empty({0, 1}), torch::empty({0}, torch::kLong), 2),
               std::invalid_argument);
  EXPECT_THROW(LogisticRegression::fit(x, torch::tensor({0, 2}), 2), std::invalid_argument);
  EXPECT_THROW(LogisticRegression::fit(x, torch::tensor({0}), 2), std::invalid_argument);
  EXPECT_THROW(LogisticRegression::fit(x / 0.0, torch::tensor({0, 1}), 2), std::invalid_argument);
}

}  // namespace
}  // namespace fer
