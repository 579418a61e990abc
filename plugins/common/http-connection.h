// A connection of an HttpServer as cpp-httplib's stream, with a deadline for all of it.
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <string>

namespace fer {

/// The library's own stream has a time-out a read, so that who sends a byte a second holds its
/// thread for hours. This one ends at its deadline, and as soon as the socket is shut down.
class HttpConnection : public httplib::Stream {
 public:
  HttpConnection(socket_t socket, std::chrono::milliseconds limit);

  // Later versions of the library ask these under the second names.
  bool is_readable() const override;
  bool is_writable() const override;
  bool wait_readable() const;
  bool wait_writable() const;

  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  using Stream::write;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }
  time_t duration() const;

 private:
  /// Until poll() reports one of the events, or the deadline.
  bool wait_for(short events) const;

  const socket_t socket_;
  const std::chrono::steady_clock::time_point begin_, deadline_;
  std::array<char, 4096> buffer_{};  ///< The library reads byte by byte.
  std::size_t at_ = 0, filled_ = 0;
};

}  // namespace fer
