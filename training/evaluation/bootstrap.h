// Confidence intervals by resampling: how far a figure may move because other faces might have been
// in the test set (Efron 1979; percentile intervals; the cluster bootstrap of Field and Welsh
// 2007).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "evaluation/predictions.h"

namespace fer {

struct BootstrapSettings {
  int resamples = 10000;  ///< 0: no intervals.
  std::uint64_t seed = 0;
  double level = 0.95;  ///< The share of the resamples that lies inside an interval.
  int threads = 0;      ///< 0: one per core. The result does not depend on it.
};

struct Interval {
  double low, high;  ///< NaN where no interval can be told.
  bool known() const { return low <= high; }
};

/// Computes figures of weighted faces. `weights` has one entry per face: how often it was drawn.
/// NaN is written for a figure that these faces do not have. It is called from several threads.
using Figures = std::function<void(std::span<const std::uint32_t> weights, std::span<double> out)>;

/// Draws whole clusters with replacement, as many as there are, `resamples` times, and returns the
/// percentile interval of each of `count` figures. Resamples in which a figure is NaN do not count
/// for it. All intervals are unknown where there are fewer than two clusters or no resamples.
/// Throws Interrupted.
std::vector<Interval> bootstrap(const Clusters& clusters, const BootstrapSettings& settings,
                                std::size_t count, const Figures& figures);

/// The value below which the share `q` of the sorted values lies, by linear interpolation between
/// neighbours. NaN where there are none.
double quantile(std::span<const double> sorted, double q);

}  // namespace fer
