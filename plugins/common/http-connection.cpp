#include "http-connection.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace fer {
namespace {

using Clock = std::chrono::steady_clock;

/// Of one end of a socket, as getsockname() or getpeername() tells it.
template <typename Ask>
void tell_end(Ask ask, socket_t socket, std::string& ip, int& port) {
  sockaddr_storage end{};
  socklen_t size = sizeof end;
  auto* address = reinterpret_cast<sockaddr*>(&end);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  if (ask(socket, address, &size) != 0 ||
      getnameinfo(address, size, host.data(), host.size(), service.data(), service.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return;
  }
  ip = host.data();
  port = std::atoi(service.data());
}

}  // namespace

HttpConnection::HttpConnection(socket_t socket, std::chrono::milliseconds limit)
    : socket_(socket), begin_(Clock::now()), deadline_(begin_ + limit) {}

bool HttpConnection::wait_for(short events) const {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    if (left <= 0) return false;
    pollfd wanted{socket_, events, 0};
    const int found = poll(&wanted, 1, static_cast<int>(left));
    if (found > 0) return true;  // An error, too: the call that follows says which.
    if (found < 0 && errno != EINTR) return false;
  }
}

bool HttpConnection::is_readable() const {
  return wait_readable();
}
bool HttpConnection::is_writable() const {
  return wait_writable();
}
bool HttpConnection::wait_readable() const {
  return at_ < filled_ || wait_for(POLLIN);
}
bool HttpConnection::wait_writable() const {
  return wait_for(POLLOUT);
}

ssize_t HttpConnection::read(char* to, std::size_t size) {
  while (at_ == filled_) {
    if (!wait_for(POLLIN)) return -1;
    const ssize_t count = recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) return count;
    at_ = 0;
    filled_ = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  }
  const std::size_t count = std::min(size, filled_ - at_);
  std::memcpy(to, buffer_.data() + at_, count);
  at_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t HttpConnection::write(const char* from, std::size_t size) {
  while (wait_for(POLLOUT)) {
    const ssize_t count = send(socket_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0 || (errno != EINTR && errno != EAGAIN)) return count;
  }
  return -1;
}

void HttpConnection::get_remote_ip_and_port(std::string& ip, int& port) const {
  tell_end(getpeername, socket_, ip, port);
}

void HttpConnection::get_local_ip_and_port(std::string& ip, int& port) const {
  tell_end(getsockname, socket_, ip, port);
}

time_t HttpConnection::duration() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin_).count();
}

}  // namespace fer
