// The properties `metrics-address` and `metrics-url` of elements, and what stands behind them.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

#include "locked.h"
#include "metrics.h"
#include "property-table.h"

namespace fer {

class ServedMetrics;

/// Serves an element's statistics while it runs. What the element tells is asked for when somebody
/// scrapes, so that frames pay nothing for it.
class ElementMetrics {
 public:
  /// For start(): serves at `address`, host:port, unless that is empty. Samples are labelled with
  /// the element's name and with those of `labels` that are not empty. Where they cannot be served
  /// a warning says why; the element runs all the same. `collect` is called on other threads until
  /// stop() returns, and takes snapshots only.
  void start(GstElement* element, const std::string& address, const MetricLabels& labels,
             std::function<Metrics()> collect);

  /// For stop(), first of all: waits for a collect() under way.
  void stop(GstElement* element);

  /// Where to scrape; empty where nothing is served. May be asked by any thread.
  std::string url() const;

 private:
  std::shared_ptr<ServedMetrics> served_;  ///< Only start() and stop() use it.
  Locked<std::string> url_;
};

/// The row `metrics-address`.
template <typename Settings>
void add_metrics_address(PropertyTable<Settings>& properties, std::string Settings::*member) {
  properties.add(member,
                 {"metrics-address", "Metrics address",
                  "Serve the statistics to Prometheus at this host:port while the element runs, to "
                  "whoever can reach it; port 0 takes a free one; elements with the same address "
                  "share a server; unset: not at all"},
                 kMutableReady);
}

/// The property `metrics-url`, behind those of the table.
void install_metrics_url(GObjectClass* klass, guint id);
void get_metrics_url(const ElementMetrics& metrics, GValue* value);

}  // namespace fer
