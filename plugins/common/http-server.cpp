#include "http-server.h"

#include <httplib.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "http-connection.h"

namespace fer {
namespace {

/// A connection is over after this time, whatever its client does.
constexpr std::chrono::milliseconds kConnectionTime(5000);
/// Connections at a time. One more ends the oldest.
constexpr std::size_t kMostConnections = 256;
/// Connections that the kernel holds until they are accepted: who comes with many others must not
/// be made to try again, a second later.
constexpr int kBacklog = SOMAXCONN;

void reuse_address(socket_t socket) {
  // The library's default would let two processes listen at one port.
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

/// Why nobody can listen there: the library does not say.
std::string why_not(const HttpAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int unknown =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (unknown != 0) return gai_strerror(unknown);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, freeaddrinfo);
  const int socket = ::socket(list->ai_family, list->ai_socktype | SOCK_CLOEXEC, list->ai_protocol);
  if (socket < 0) return std::generic_category().message(errno);
  reuse_address(socket);
  const bool bound = bind(socket, list->ai_addr, list->ai_addrlen) == 0 && listen(socket, 1) == 0;
  const int error = errno;
  close(socket);
  return bound ? "the HTTP server refused it" : std::generic_category().message(error);
}

/// Threads that come as they are needed: one a connection, so that none waits for another.
class Workers : public httplib::TaskQueue {
 public:
  /// Calls `on_full` where all threads are taken, to make one of them free.
  explicit Workers(std::function<void()> on_full) : on_full_(std::move(on_full)) {}

  // It tells nothing in some versions of the library and true in others.
  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr));
  Enqueued enqueue(std::function<void()> task) override {
    bool full = false;
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      if (tasks_.size() > idle_) {
        full = threads_.size() >= kMostConnections;
        if (!full) threads_.emplace_back([this] { work(); });
      }
    }
    changed_.notify_one();
    if (full) on_full_();
    return Enqueued(true);
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    threads_.clear();  // joins
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      changed_.wait(lock, [this] { return over_ || !tasks_.empty(); });
      --idle_;
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  const std::function<void()> on_full_;
  std::mutex mutex_;  ///< Guards what follows; of the threads, only their number.
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::size_t idle_ = 0;
  bool over_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace

std::string HttpAddress::text() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

HttpAddress parse_http_address(const std::string& text) {
  const auto colon = text.rfind(':');
  HttpAddress address{text.substr(0, colon), 0};
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool bracketed = address.host.starts_with('[') && address.host.ends_with(']');
  if (bracketed) address.host = address.host.substr(1, address.host.size() - 2);
  const bool odd = address.host.find_first_of(", /+[]") != std::string::npos ||
                   (!bracketed && address.host.find(':') != std::string::npos);
  const char* end = port.data() + port.size();
  const auto [parsed, error] = std::from_chars(port.data(), end, address.port);
  if (address.host.empty() || odd || port.empty() || error != std::errc() || parsed != end ||
      address.port < 0 || address.port > 65535) {
    throw std::runtime_error(
        "that is not host:port, such as 127.0.0.1:9464 or [::1]:9464, or [::]:9464 for all who can "
        "reach this machine");
  }
  return address;
}

/// The library's server, with connections of ours.
class HttpServer::Impl : public httplib::Server {
 public:
  Impl(const HttpAddress& address, const HttpPages& pages) {
    set_socket_options(reuse_address);
    new_task_queue = [this] { return new Workers([this] { end_oldest(); }); };
    set_payload_max_length(0);
    for (const auto& [path, answer] : pages) {
      Get(path, [answer = answer](const httplib::Request&, httplib::Response& response) {
        const HttpAnswer made = answer();
        response.set_content(made.body, made.type.c_str());
      });
    }
    port_ = address.port == 0 ? bind_to_any_port(address.host)
                              : (bind_to_port(address.host, address.port) ? address.port : -1);
    if (port_ < 0) throw std::runtime_error(why_not(address));
    // The library has a backlog of 5.
    ::listen(svr_sock_, kBacklog);
    // stop() does nothing before it runs.
    thread_ = std::jthread([this] {
      listen_after_bind();
      ended_ = true;
    });
    while (!is_running() && !ended_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  ~Impl() override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      for (const Open& one : open_) ::shutdown(one.socket, SHUT_RDWR);
    }
    stop();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int port() const { return port_; }

 private:
  /// The library's hook for servers with another kind of connection, as its TLS server is one.
  bool process_and_close_socket(socket_t socket) override {
    const auto place = add(socket);
    HttpConnection connection(socket, kConnectionTime);
    const bool answered = process(*this, connection);
    ::shutdown(socket, SHUT_RDWR);
    const std::lock_guard lock(mutex_);
    open_.erase(place);
    ::close(socket);  // Under the lock: another connection may get its number at once.
    return answered;
  }

  /// Some versions of the library want to be told the ends of the connection.
  template <typename Self>
  static bool process(Self& self, HttpConnection& connection) {
    bool closed = false;
    const std::function<void(httplib::Request&)> no_setup;
    if constexpr (requires { self.process_request(connection, true, closed, no_setup); }) {
      return self.process_request(connection, true, closed, no_setup);
    } else {
      std::string remote, local;
      int remote_port = 0, local_port = 0;
      connection.get_remote_ip_and_port(remote, remote_port);
      connection.get_local_ip_and_port(local, local_port);
      return self.process_request(connection, remote, remote_port, local, local_port, true, closed,
                                  no_setup);
    }
  }

  struct Open {
    socket_t socket;
    bool ended = false;  ///< By us; its thread has not noticed yet.
  };

  std::list<Open>::iterator add(socket_t socket) {
    const std::lock_guard lock(mutex_);
    if (over_) ::shutdown(socket, SHUT_RDWR);
    return open_.insert(open_.end(), {socket});
  }

  void end_oldest() {
    const std::lock_guard lock(mutex_);
    // Another one each time: many may come before the first thread is free.
    const auto oldest =
        std::find_if(open_.begin(), open_.end(), [](const Open& one) { return !one.ended; });
    if (oldest == open_.end()) return;
    oldest->ended = true;
    ::shutdown(oldest->socket, SHUT_RDWR);
  }

  int port_ = -1;
  std::mutex mutex_;      ///< Guards what follows.
  std::list<Open> open_;  ///< The oldest first.
  bool over_ = false;
  std::atomic<bool> ended_ = false;  ///< It listens no more.
  std::jthread thread_;
};

HttpServer::HttpServer(const HttpAddress& address, const HttpPages& pages)
    : requested_(address), address_(address), impl_(std::make_unique<Impl>(address, pages)) {
  address_.port = impl_->port();
}

HttpServer::~HttpServer() = default;

}  // namespace fer
