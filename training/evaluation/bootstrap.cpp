#include "evaluation/bootstrap.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "terminal/interrupt.h"
#include "util/random.h"

namespace fer {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// Keeps these random numbers apart from those that other code draws with the same seed.
constexpr std::uint64_t kPurpose = 0x626f6f74;

int thread_count(const BootstrapSettings& settings) {
  const int wanted = settings.threads > 0 ? settings.threads
                                          : static_cast<int>(std::thread::hardware_concurrency());
  return std::clamp(wanted, 1, settings.resamples);
}

}  // namespace

double quantile(std::span<const double> sorted, double q) {
  if (sorted.empty()) return kNaN;
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

std::vector<Interval> bootstrap(const Clusters& clusters, const BootstrapSettings& settings,
                                std::size_t count, const Figures& figures) {
  std::vector<Interval> intervals(count, Interval{kNaN, kNaN});
  if (settings.resamples <= 0 || clusters.count < 2) return intervals;
  const auto resamples = static_cast<std::size_t>(settings.resamples);
  std::vector<double> drawn(resamples * count);  // resample by resample
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    std::vector<std::uint32_t> times(clusters.count), weights(clusters.of_face.size());
    for (std::size_t r; (r = next++) < resamples && !stop_requested;) {
      // By its number alone, so that it does not matter which thread draws it.
      Random random(settings.seed, kPurpose, r);
      std::fill(times.begin(), times.end(), 0);
      // The upper half of a product is even enough for fewer than 2^32 clusters, and takes less
      // time than a remainder.
      for (std::size_t i = 0; i < clusters.count; ++i)
        ++times[(random() >> 32) * clusters.count >> 32];
      for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = times[clusters.of_face[i]];
      figures(weights, std::span(drawn).subspan(r * count, count));
    }
  };
  std::vector<std::jthread> helpers;
  for (int i = 1; i < thread_count(settings); ++i) helpers.emplace_back(work);
  work();
  helpers.clear();
  stop_if_requested();

  std::vector<double> values;
  const double tail = (1 - settings.level) / 2;
  for (std::size_t k = 0; k < count; ++k) {
    values.clear();
    for (std::size_t r = 0; r < resamples; ++r)
      if (!std::isnan(drawn[r * count + k])) values.push_back(drawn[r * count + k]);
    std::sort(values.begin(), values.end());
    intervals[k] = {quantile(values, tail), quantile(values, 1 - tail)};
  }
  return intervals;
}

}  // namespace fer
