#include "evaluation/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>

#include "terminal/interrupt.h"

namespace fer {
namespace {

using Weights = std::span<const std::uint32_t>;

Clusters one_each(std::size_t n) {
  Clusters clusters;
  clusters.count = n;
  clusters.of_face.resize(n);
  std::iota(clusters.of_face.begin(), clusters.of_face.end(), 0u);
  return clusters;
}

/// The weighted mean of the values.
Figures mean_of(std::vector<double> values) {
  return [values = std::move(values)](Weights weights, std::span<double> out) {
    double sum = 0, all = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += weights[i] * values[i];
      all += weights[i];
    }
    out[0] = sum / all;
  };
}

TEST(Quantile, LiesBetweenNeighbours) {
  const std::vector<double> values{1, 2, 4, 8, 16};
  EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 4);
  EXPECT_DOUBLE_EQ(quantile(values, 0.625), 6);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 16);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
}

TEST(Bootstrap, FindsTheIntervalOfAShare) {
  // 80 of 100: the mean of a resample is binomial, with a deviation of sqrt(.8 · .2 / 100) = .04.
  // The binomial's 2.5 % and 97.5 % points are 72 and 87.
  std::vector<double> values(100, 1);
  std::fill(values.begin(), values.begin() + 20, 0);
  const auto intervals = bootstrap(one_each(100), {}, 1, mean_of(values));
  EXPECT_NEAR(intervals[0].low, 0.72, 0.0101);
  EXPECT_NEAR(intervals[0].high, 0.87, 0.0101);
}

TEST(Bootstrap, IsWiderWhereFacesComeInClusters) {
  // The same 100 faces, but ten people with ten equal faces each: the deviation is
  // sqrt(.8 · .2 / 10) = .126. The binomial's points for ten are 5 and 10.
  std::vector<double> values(100, 1);
  std::fill(values.begin(), values.begin() + 20, 0);
  Clusters clusters;
  clusters.count = 10;
  for (std::uint32_t i = 0; i < 100; ++i) clusters.of_face.push_back(i / 10);
  const auto intervals = bootstrap(clusters, {}, 1, mean_of(values));
  EXPECT_DOUBLE_EQ(intervals[0].low, 0.5);
  EXPECT_DOUBLE_EQ(intervals[0].high, 1);
}

TEST(Bootstrap, DrawsAsManyClustersAsThereAre) {
  Clusters clusters;
  clusters.count = 3;
  clusters.of_face = {0, 1, 1, 2};
  std::atomic<int> calls{0};
  bootstrap(clusters, {.resamples = 50}, 1, [&](Weights weights, std::span<double> out) {
    ++calls;
    EXPECT_EQ(weights[1], weights[2]) << "a cluster is drawn whole";
    EXPECT_EQ(weights[0] + weights[1] + weights[3], 3u);
    out[0] = 0;
  });
  EXPECT_EQ(calls, 50);
}

TEST(Bootstrap, IsTheSameForASeedWhateverTheThreads) {
  std::vector<double> values;
  for (int i = 0; i < 40; ++i) values.push_back(i * i);
  const auto run = [&](std::uint64_t seed, int threads) {
    return bootstrap(one_each(40), {.resamples = 500, .seed = seed, .threads = threads}, 1,
                     mean_of(values))[0];
  };
  const Interval one = run(7, 1), four = run(7, 4), other = run(8, 1);
  EXPECT_EQ(one.low, four.low);
  EXPECT_EQ(one.high, four.high);
  EXPECT_NE(one.low, other.low);
}

TEST(Bootstrap, LeavesResamplesOutThatTellNothing) {
  std::vector<double> values(10, 1);
  values[0] = std::numeric_limits<double>::quiet_NaN();
  const auto figures = [&](Weights weights, std::span<double> out) {
    out[0] = weights[0] > 0 ? std::numeric_limits<double>::quiet_NaN() : 3;
    out[1] = std::numeric_limits<double>::quiet_NaN();
  };
  const auto intervals = bootstrap(one_each(10), {.resamples = 200}, 2, figures);
  EXPECT_DOUBLE_EQ(intervals[0].low, 3);
  EXPECT_DOUBLE_EQ(intervals[0].high, 3);
  EXPECT_FALSE(intervals[1].known());
}

TEST(Bootstrap, KnowsNothingOfOneClusterOrWithoutResamples) {
  const auto figures = mean_of({1, 2});
  Clusters one;
  one.count = 1;
  one.of_face = {0, 0};
  EXPECT_FALSE(bootstrap(one, {}, 1, figures)[0].known());
  EXPECT_FALSE(bootstrap(one_each(2), {.resamples = 0}, 1, figures)[0].known());
  EXPECT_TRUE(bootstrap(one_each(2), {.resamples = 10}, 1, figures)[0].known());
}

TEST(Bootstrap, StopsWhenAskedTo) {
  stop_requested = true;
  EXPECT_THROW(bootstrap(one_each(2), {}, 1, mean_of({1, 2})), Interrupted);
  stop_requested = false;
}

}  // namespace
}  // namespace fer
