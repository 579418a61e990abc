// A small HTTP server for pages that are made when somebody asks for them. No client can hold up
// another, or the server's end: a connection is over after a few seconds, whatever it does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace fer {

/// Where to listen. An IPv6 host stands without its brackets.
struct HttpAddress {
  std::string host;
  int port = 0;  ///< 0: any that is free.

  /// host:port, with brackets where it needs them.
  std::string text() const;
  bool operator==(const HttpAddress&) const = default;
};

/// Of host:port, [IPv6]:port. Throws std::runtime_error, in words that can follow a colon, where it
/// is none.
HttpAddress parse_http_address(const std::string& text);

struct HttpAnswer {
  std::string type;  ///< Of the content.
  std::string body;
};

/// What is served: path → what makes the answer, called on the server's threads. What throws
/// becomes a 500.
using HttpPages = std::map<std::string, std::function<HttpAnswer()>>;

class HttpServer {
 public:
  /// Listens from now on. Throws std::runtime_error that says why not, in words that can follow a
  /// colon.
  HttpServer(const HttpAddress& address, const HttpPages& pages);
  /// Ends all connections, whatever their clients do, and waits for answers that are being made.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// http://host:port, with the port that was taken.
  std::string url() const { return "http://" + address_.text(); }
  /// Whether it was asked to listen there, or does.
  bool is_at(const HttpAddress& address) const {
    return address == requested_ || address == address_;
  }

 private:
  class Impl;

  const HttpAddress requested_;
  HttpAddress address_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fer
