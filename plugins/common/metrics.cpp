#include "metrics.h"

#include <algorithm>

namespace fer {

void Metrics::counter(const std::string& name, const std::string& help, double value,
                      MetricLabels labels) {
  of(Metric::Kind::kCounter, name, help).samples.push_back({std::move(labels), value});
}

void Metrics::gauge(const std::string& name, const std::string& help, double value,
                    MetricLabels labels) {
  of(Metric::Kind::kGauge, name, help).samples.push_back({std::move(labels), value});
}

void Metrics::summary(const std::string& name, const std::string& help, double sum,
                      std::uint64_t count, MetricLabels labels) {
  of(Metric::Kind::kSummary, name, help).samples.push_back({std::move(labels), sum, count});
}

void Metrics::announce(Metric::Kind kind, const std::string& name, const std::string& help) {
  of(kind, name, help);
}

Metric& Metrics::of(Metric::Kind kind, const std::string& name, const std::string& help) {
  const auto known = std::find_if(metrics_.begin(), metrics_.end(),
                                  [&](const Metric& metric) { return metric.name == name; });
  if (known != metrics_.end()) return *known;
  metrics_.push_back({kind, name, help, {}});
  return metrics_.back();
}

}  // namespace fer
