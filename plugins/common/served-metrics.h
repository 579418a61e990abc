// Metrics over HTTP, in Prometheus' text format. This is the interface of the library
// libfer-metrics: one server an address and process, whichever of our plugins its elements come
// from. Each plugin would have a server of its own if this were linked into both.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "export.h"
#include "metrics.h"

namespace fer {

/// What one element tells at an address, as long as this lives. All that name the same address
/// share a server, which the first starts and the last stops. Thread-safe.
class FER_API ServedMetrics {
 public:
  /// Called on the server's threads, for one scrape at a time. It must take snapshots only: a
  /// scrape waits for it, and so does the destructor. What throws is left out of that scrape.
  using Collect = std::function<Metrics()>;

  /// Serves at `address`, host:port, by http://host:port/metrics; port 0 takes a free one, the same
  /// for all that name this address. `kind` and `labels` are the element's type and what all of its
  /// samples are labelled with, its name first; together they tell it from all others there.
  ///
  /// Throws std::runtime_error that says why not, in words that can follow a colon: an address that
  /// is none, or that cannot be listened at, or an element that is served there already.
  ServedMetrics(const std::string& address, const std::string& kind, MetricLabels labels,
                Collect collect);
  /// Waits for a collect() under way; it is not called again.
  ~ServedMetrics();
  ServedMetrics(const ServedMetrics&) = delete;
  ServedMetrics& operator=(const ServedMetrics&) = delete;

  /// Where to scrape, with the port that was taken.
  const std::string& url() const;

 private:
  class Server;
  struct Source;
  std::shared_ptr<Server> server_;
  std::unique_ptr<Source> source_;
};

}  // namespace fer
