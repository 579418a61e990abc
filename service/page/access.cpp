#include "page/access.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace fer {
namespace {

constexpr char kCookie[] = "fer_token=";

/// Without the port; IPv6 without its brackets; in lower case.
std::string name_of_host(std::string host) {
  if (host.starts_with("[")) {
    const std::size_t end = host.find(']');
    host = end == std::string::npos ? "" : host.substr(1, end - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  std::transform(host.begin(), host.end(), host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return host;
}

/// No name can be made to lead elsewhere that is an address already.
bool is_address(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

/// What anybody may ask, before the token is shown.
bool is_open(const std::string& path) {
  static const std::set<std::string> open{"/healthz", "/readyz", "/login", "/page.css",
                                          "/login.js"};
  return open.contains(path);
}

}  // namespace

bool Access::is_ours(const std::string& host) const {
  const std::string name = name_of_host(host);
  return is_address(name) || name == "localhost" || name == name_of_host(page_.host) ||
         std::find(page_.hosts.begin(), page_.hosts.end(), name) != page_.hosts.end();
}

bool Access::is_token(const std::string& given) const {
  unsigned difference = given.size() == token_.size() ? 0 : 1;
  for (std::size_t i = 0; i < token_.size(); ++i) {
    const char other = i < given.size() ? given[i] : '\0';
    difference |= static_cast<unsigned char>(token_[i] ^ other);
  }
  return difference == 0;
}

bool Access::shows_token(const Asked& asked) const {
  const std::string bearer = "Bearer ";
  if (asked.authorization.starts_with(bearer))
    return is_token(asked.authorization.substr(bearer.size()));
  for (std::size_t at = 0; at < asked.cookie.size();) {
    const std::size_t end = std::min(asked.cookie.find(';', at), asked.cookie.size());
    std::string one = asked.cookie.substr(at, end - at);
    one.erase(0, one.find_first_not_of(' '));
    if (one.starts_with(kCookie) && is_token(one.substr(sizeof kCookie - 1))) return true;
    at = end + 1;
  }
  return false;
}

std::string Access::cookie() const {
  return kCookie + token_ + "; Path=/; HttpOnly; SameSite=Strict" +
         (page_.certificate.empty() ? "" : "; Secure");
}

std::optional<Refusal> Access::refuse(const Asked& asked) const {
  if (!is_ours(asked.host)) {
    return Refusal{421,
                   "this server does not answer to the name in the request's Host header; "
                   "add it to hosts in [page]"};
  }
  const bool reads = asked.method == "GET" || asked.method == "HEAD";
  const bool foreign = asked.fetch_site == "cross-site" || asked.fetch_site == "same-site";
  // A link from elsewhere may open the page, and nothing else.
  if (foreign && !(reads && asked.fetch_mode == "navigate" && asked.path == "/"))
    return Refusal{403, "another site may not ask for this"};
  if (!reads) {
    if (!asked.origin.empty()) {
      const std::size_t scheme = asked.origin.find("://");
      if (scheme == std::string::npos || asked.origin.substr(scheme + 3) != asked.host)
        return Refusal{403, "another site may not ask for this"};
    }
    if (asked.ours.empty())
      return Refusal{403, "a change needs the header X-Fer: 1, which forms of other sites lack"};
  }
  if (needs_token() && !is_open(asked.path) && !shows_token(asked))
    return Refusal{401, "show the token: Authorization: Bearer TOKEN, or log in at /login"};
  return std::nullopt;
}

}  // namespace fer
