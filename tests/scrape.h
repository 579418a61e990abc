// What a server of metrics answers, read as Prometheus reads it.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace fer::test {

/// A connection to a port of this machine, closed in the end. Throws std::runtime_error.
class Connection {
 public:
  explicit Connection(int port) : Connection(AF_INET, port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect_to(to);
  }
  /// By IPv6.
  static Connection by_ipv6(int port) {
    Connection made(AF_INET6, port);
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(static_cast<std::uint16_t>(port));
    to.sin6_addr = in6addr_loopback;
    made.connect_to(to);
    return made;
  }
  ~Connection() {
    if (socket_ >= 0) close(socket_);
  }
  Connection(Connection&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), port_(other.port_) {}

  void say(const std::string& words) const {
    send(socket_, words.data(), words.size(), MSG_NOSIGNAL);
  }

  /// Asks, and gives the whole answer once the other side closes.
  std::string ask(const std::string& request) const {
    say(request);
    std::string answer;
    char part[4096];
    for (ssize_t count; (count = recv(socket_, part, sizeof part, 0)) > 0;) {
      answer.append(part, static_cast<std::size_t>(count));
    }
    return answer;
  }

 private:
  Connection(int family, int port)
      : socket_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)), port_(port) {}

  template <typename Address>
  void connect_to(const Address& to) const {
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      throw std::runtime_error("nobody listens at port " + std::to_string(port_));
    }
  }

  int socket_;
  int port_;
};

/// The port in http://HOST:PORT/metrics, where the host is this machine's 127.0.0.1 or [::1].
inline int port_of(const std::string& url) {
  for (const std::string start : {"http://127.0.0.1:", "http://[::1]:"}) {
    if (url.starts_with(start)) return std::stoi(url.substr(start.size()));
  }
  throw std::runtime_error("no URL of this machine: " + url);
}

/// What is served at a path beside that URL, with its head.
inline std::string answer_of(const std::string& url, const std::string& path) {
  const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  return url.starts_with("http://[") ? Connection::by_ipv6(port_of(url)).ask(request)
                                     : Connection(port_of(url)).ask(request);
}

/// The body that is served there. Throws std::runtime_error where nobody answers, or with an error.
inline std::string scrape(const std::string& url) {
  const std::string answer = answer_of(url, "/metrics");
  const auto body = answer.find("\r\n\r\n");
  if (body == std::string::npos || answer.find(" 200 ") > answer.find('\n')) {
    throw std::runtime_error("the answer is \"" + answer + "\"");
  }
  return answer.substr(body + 4);
}

/// A body in parts. Throws std::runtime_error where a name or a sample stands in it twice.
struct Scraped {
  explicit Scraped(const std::string& body) {
    std::istringstream in(body);
    for (std::string line; std::getline(in, line);) {
      const auto space = line.rfind(' ');
      if (line.starts_with("# TYPE ")) {
        keep(types, line.substr(7, space - 7), line.substr(space + 1));
      } else if (line.starts_with("# HELP ")) {
        const auto end = line.find(' ', 7);
        keep(helps, line.substr(7, end - 7), line.substr(end + 1));
      } else if (!line.empty()) {
        keep(values, line.substr(0, space), std::stod(line.substr(space + 1)));
      }
    }
  }

  template <typename Value>
  static void keep(std::map<std::string, Value>& to, const std::string& name, const Value& value) {
    if (!to.emplace(name, value).second) throw std::runtime_error(name + " stands there twice");
  }

  std::map<std::string, std::string> types, helps;  ///< Of names.
  std::map<std::string, double> values;             ///< Of samples, as they are written.
};

}  // namespace fer::test
