// What a server of metrics answers, read as Prometheus reads it.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

namespace fer::test {

/// A connection to a port of this machine, closed in the end. Throws std::runtime_error.
class Connection {
 public:
  explicit Connection(int port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      close(socket_);
      throw std::runtime_error("nobody listens at port " + std::to_string(port));
    }
  }
  ~Connection() { close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Asks, and gives the whole answer once the other side closes.
  std::string ask(const std::string& request) const {
    send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    std::string answer;
    char part[4096];
    for (ssize_t count; (count = recv(socket_, part, sizeof part, 0)) > 0;) {
      answer.append(part, static_cast<std::size_t>(count));
    }
    return answer;
  }

 private:
  int socket_;
};

/// The port in http://127.0.0.1:PORT/metrics.
inline int port_of(const std::string& url) {
  const std::string start = "http://127.0.0.1:";
  if (!url.starts_with(start)) throw std::runtime_error("no URL of this machine: " + url);
  return std::stoi(url.substr(start.size()));
}

/// The body that is served there. Throws std::runtime_error where nobody answers, or with an error.
inline std::string scrape(const std::string& url) {
  const std::string answer = Connection(port_of(url)).ask("GET /metrics HTTP/1.0\r\n\r\n");
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
