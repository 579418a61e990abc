#include "page/port.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace fer {

std::string why_not_free(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  if (!host.empty() && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
    return address + " cannot be listened at: " + gai_strerror(error);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
  const int one = 1;
  const int socket_fd =
      socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
  if (socket_fd < 0) return address + " cannot be listened at: " + std::strerror(errno);
  setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const bool bound =
      bind(socket_fd, found->ai_addr, found->ai_addrlen) == 0 && listen(socket_fd, 1) == 0;
  const int error = errno;
  close(socket_fd);
  if (bound) return {};
  if (error == EADDRINUSE) return address + " is in use; stop what listens there, or name another";
  return address + " cannot be listened at: " + std::strerror(error);
}

}  // namespace fer
