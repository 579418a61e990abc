// What an element tells a monitoring system: numbers with names and labels. Free of the library
// that serves them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fer {

/// Name and value.
using MetricLabel = std::pair<std::string, std::string>;
using MetricLabels = std::vector<MetricLabel>;

/// All samples of one name.
struct Metric {
  enum class Kind {
    kCounter,  ///< Only grows, until the element starts anew.
    kGauge,    ///< As it is now.
    kSummary,  ///< A sum and of how many: NAME_sum and NAME_count.
  };
  struct Sample {
    MetricLabels labels;
    double value = 0;         ///< Of a summary: the sum.
    std::uint64_t count = 0;  ///< Of a summary.
  };
  Kind kind;
  std::string name;  ///< fer_ELEMENT_WHAT_UNIT in lower case; a counter's ends in _total.
  std::string help;  ///< One line.
  std::vector<Sample> samples;
};

/// The metrics of one element at one moment, in the order in which they came.
class Metrics {
 public:
  /// A sample of a metric. Later ones of the same name join the first, and differ in their labels.
  void counter(const std::string& name, const std::string& help, double value,
               MetricLabels labels = {});
  void gauge(const std::string& name, const std::string& help, double value,
             MetricLabels labels = {});
  void summary(const std::string& name, const std::string& help, double sum, std::uint64_t count,
               MetricLabels labels = {});

  /// A metric that may have no samples yet, and that is told of all the same.
  void announce(Metric::Kind kind, const std::string& name, const std::string& help);

  const std::vector<Metric>& all() const { return metrics_; }

 private:
  Metric& of(Metric::Kind kind, const std::string& name, const std::string& help);

  std::vector<Metric> metrics_;
};

}  // namespace fer
