#include "served-metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "http-server.h"

namespace fer {
namespace {

constexpr const char* kFormat = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* kStartPage =
    "<!DOCTYPE html><title>gst-fer</title><p>gst-fer serves its <a href=\"metrics\">metrics</a> "
    "here.\n";

prometheus::MetricType type_of(Metric::Kind kind) {
  switch (kind) {
    case Metric::Kind::kCounter:
      return prometheus::MetricType::Counter;
    case Metric::Kind::kGauge:
      return prometheus::MetricType::Gauge;
    case Metric::Kind::kSummary:
      return prometheus::MetricType::Summary;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric sample_of(const Metric& metric, const Metric::Sample& sample,
                                   const MetricLabels& common) {
  prometheus::ClientMetric out;
  for (const MetricLabels* labels : {&common, &sample.labels}) {
    for (const auto& [name, value] : *labels) out.label.push_back({name, value});
  }
  switch (metric.kind) {
    case Metric::Kind::kCounter:
      out.counter.value = sample.value;
      break;
    case Metric::Kind::kGauge:
      out.gauge.value = sample.value;
      break;
    case Metric::Kind::kSummary:
      out.summary.sample_sum = sample.value;
      out.summary.sample_count = sample.count;
      break;
  }
  return out;
}

}  // namespace

struct ServedMetrics::Source {
  std::string kind;
  MetricLabels labels;
  Collect collect;
};

// --- One address.

class ServedMetrics::Server {
 public:
  /// The server of this address, made where there is none yet.
  static std::shared_ptr<Server> get(const std::string& address);

  explicit Server(const HttpAddress& address)
      : http_(address, {{"/metrics",
                         [this] {
                           return HttpAnswer{kFormat, text()};
                         }},
                        {"/health", healthy},
                        {"/healthz", healthy},
                        {"/", [] {
                           return HttpAnswer{"text/html", kStartPage};
                         }}}) {}

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& url() const { return url_; }
  bool is_at(const HttpAddress& address) const { return http_.is_at(address); }

  /// Keeps a pointer until remove().
  void add(const Source* source) {
    const std::lock_guard lock(mutex_);
    for (const Source* other : sources_) {
      if (other->kind == source->kind && other->labels == source->labels) {
        throw std::runtime_error("another " + source->kind + " \"" + name_of(*source) +
                                 "\" is served there already; give one of them another name");
      }
    }
    sources_.push_back(source);
  }

  /// Waits for a scrape under way.
  void remove(const Source* source) {
    const std::lock_guard lock(mutex_);
    std::erase(sources_, source);
  }

 private:
  static HttpAnswer healthy() { return {"text/plain", "ok\n"}; }

  std::string text() const { return prometheus::TextSerializer().Serialize(collect()); }

  /// Joins what the elements tell: a name must stand in an answer once, whoever has samples of it.
  std::vector<prometheus::MetricFamily> collect() const {
    std::vector<prometheus::MetricFamily> families;
    std::map<std::string, std::size_t> places;
    const std::lock_guard lock(mutex_);
    for (const Source* source : sources_) {
      try {
        const Metrics metrics = source->collect();
        for (const Metric& metric : metrics.all()) {
          const auto [place, is_new] = places.emplace(metric.name, families.size());
          if (is_new) families.push_back({metric.name, metric.help, type_of(metric.kind), {}});
          auto& samples = families[place->second].metric;
          for (const Metric::Sample& sample : metric.samples) {
            samples.push_back(sample_of(metric, sample, source->labels));
          }
        }
      } catch (const std::exception&) {
        // One element's fault must not hide the others.
      }
    }
    return families;
  }

  static std::string name_of(const Source& source) {
    return source.labels.empty() ? "" : source.labels.front().second;
  }

  mutable std::mutex mutex_;  ///< Held while the sources are asked.
  std::vector<const Source*> sources_;
  HttpServer http_;  ///< Behind what its threads use.
  const std::string url_ = http_.url() + "/metrics";
};

namespace {

/// Servers start and stop under this, so that an address is free again when it is next asked for.
std::mutex& servers_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

std::shared_ptr<ServedMetrics::Server> ServedMetrics::Server::get(const std::string& address) {
  static std::vector<std::weak_ptr<Server>> servers;  // guarded by servers_mutex()
  const HttpAddress wanted = parse_http_address(address);
  std::erase_if(servers, [](const auto& server) { return server.expired(); });
  for (const auto& held : servers) {
    const auto server = held.lock();
    if (server && server->is_at(wanted)) return server;
  }
  auto server = std::make_shared<Server>(wanted);
  servers.push_back(server);
  return server;
}

ServedMetrics::ServedMetrics(const std::string& address, const std::string& kind,
                             MetricLabels labels, Collect collect)
    : source_(std::make_unique<Source>(Source{kind, std::move(labels), std::move(collect)})) {
  const std::lock_guard lock(servers_mutex());
  auto server = Server::get(address);
  server->add(source_.get());
  server_ = std::move(server);
}

ServedMetrics::~ServedMetrics() {
  server_->remove(source_.get());
  const std::lock_guard lock(servers_mutex());
  server_.reset();
}

const std::string& ServedMetrics::url() const {
  return server_->url();
}

}  // namespace fer
