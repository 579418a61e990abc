#include "served-metrics.h"

#include <netdb.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace fer {
namespace {

/// Someone who connects and says nothing holds one of the server's few threads for this long.
constexpr const char* kRequestTimeoutMs = "2000";

// --- Addresses.

struct Address {
  std::string host, port;

  std::string text() const { return host + ":" + port; }
};

Address parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  Address address{text.substr(0, colon), colon == std::string::npos ? "" : text.substr(colon + 1)};
  const bool bracketed = address.host.starts_with('[') && address.host.ends_with(']');
  // The server would take a list, or options behind the port.
  const bool odd = address.host.find_first_of(", /+") != std::string::npos ||
                   (!bracketed && address.host.find(':') != std::string::npos);
  unsigned port = 0;
  const char* end = address.port.data() + address.port.size();
  const auto [parsed, error] = std::from_chars(address.port.data(), end, port);
  if (address.host.empty() || odd || address.port.empty() || error != std::errc() ||
      parsed != end || port > 65535) {
    throw std::runtime_error(
        "that is not host:port, such as 127.0.0.1:9464, or 0.0.0.0:9464 for all who can reach this "
        "machine");
  }
  address.port = std::to_string(port);
  return address;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, FreeAddresses>;

/// What the address means to sockets; null, and why in `fault`, where it means nothing.
AddressList resolve(const Address& address, bool to_listen, std::string& fault) {
  std::string host = address.host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = to_listen ? AI_PASSIVE : 0;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), address.port.c_str(), &hints, &found);
  if (error != 0) fault = gai_strerror(error);
  return AddressList(error == 0 ? found : nullptr);
}

/// Why nobody can listen there: the HTTP server does not say.
std::string why_not(const Address& address) {
  std::string fault;
  const AddressList list = resolve(address, true, fault);
  if (!list) return fault;
  const int socket = ::socket(list->ai_family, list->ai_socktype | SOCK_CLOEXEC, list->ai_protocol);
  if (socket < 0) return std::generic_category().message(errno);
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool bound = bind(socket, list->ai_addr, list->ai_addrlen) == 0 && listen(socket, 1) == 0;
  const int error = errno;
  close(socket);
  return bound ? "the HTTP server refused it (it may know no IPv6)"
               : std::generic_category().message(error);
}

/// Connects to a server that is being stopped, again and again, as long as this lives: it looks
/// whether it shall stop only when somebody connects, and every other second.
class Waker {
 public:
  explicit Waker(const Address& address)
      : thread_([address](const std::stop_token& stop) { run(address, stop); }) {}

 private:
  static void run(const Address& address, const std::stop_token& stop) {
    std::string ignored;
    const AddressList list = resolve(address, false, ignored);
    std::mutex mutex;
    std::condition_variable_any changed;
    while (list && !stop.stop_requested()) {
      const int socket = ::socket(list->ai_family, list->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                                  list->ai_protocol);
      if (socket < 0) return;
      connect(socket, list->ai_addr, list->ai_addrlen);
      close(socket);
      std::unique_lock lock(mutex);
      changed.wait_for(lock, stop, std::chrono::milliseconds(5), [] { return false; });
    }
  }

  std::jthread thread_;
};

// --- From our types to the library's.

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

  explicit Server(const Address& address) : requested_(address.text()), address_(address) {
    try {
      exposer_ = std::make_unique<prometheus::Exposer>(
          std::vector<std::string>{"listening_ports", requested_, "num_threads", "2",
                                   "request_timeout_ms", kRequestTimeoutMs});
    } catch (const std::exception&) {
      throw std::runtime_error(why_not(address));
    }
    address_.port = std::to_string(exposer_->GetListeningPorts().at(0));
    url_ = "http://" + address_.text() + "/metrics";
    exposer_->RegisterCollectable(families_);
  }

  ~Server() {
    const Waker waker(address_);
    exposer_.reset();
  }

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& url() const { return url_; }
  bool is_at(const std::string& address) const {
    return address == requested_ || address == address_.text();
  }

  /// Keeps a pointer until remove().
  void add(const Source* source) { families_->add(source); }
  /// Waits for a scrape under way.
  void remove(const Source* source) { families_->remove(source); }

 private:
  /// Joins what the elements tell. A name must stand in an answer once, whoever has samples of it,
  /// hence one collectable for all.
  class Families : public prometheus::Collectable {
   public:
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

    void remove(const Source* source) {
      const std::lock_guard lock(mutex_);
      std::erase(sources_, source);
    }

    std::vector<prometheus::MetricFamily> Collect() const override {
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
          // An exception would end the process: above this there is only C.
        }
      }
      return families;
    }

   private:
    static std::string name_of(const Source& source) {
      return source.labels.empty() ? "" : source.labels.front().second;
    }

    mutable std::mutex mutex_;  ///< Held while the sources are asked.
    std::vector<const Source*> sources_;
  };

  const std::string requested_;
  Address address_;  ///< With the port that was taken.
  std::string url_;
  const std::shared_ptr<Families> families_ = std::make_shared<Families>();
  std::unique_ptr<prometheus::Exposer> exposer_;  ///< Last: its threads use the others.
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
  const Address wanted = parse_address(address);
  std::erase_if(servers, [](const auto& server) { return server.expired(); });
  for (const auto& held : servers) {
    const auto server = held.lock();
    if (server && server->is_at(wanted.text())) return server;
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
