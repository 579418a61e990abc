// Who may ask the page's server for what. Free of HTTP libraries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/service_config.h"

namespace fer {

/// What of a request decides on it. Absent headers are empty.
struct Asked {
  std::string method, path;
  std::string host, origin, authorization, cookie;
  std::string fetch_site, fetch_mode;  ///< Sec-Fetch-Site and Sec-Fetch-Mode.
  std::string ours;                    ///< X-Fer, which only our own page's script sends.
};

struct Refusal {
  int status = 403;
  std::string text;
};

/// Three walls. The host must be an address or a name that is ours, so that no foreign name that
/// leads here (DNS rebinding) speaks for us. What another site asks for in a visitor's name is
/// refused: foreign origins, and changes without a header of our own, which a form cannot send.
/// And where there is a token, it must be shown.
class Access {
 public:
  /// `token`: empty where none is asked for.
  Access(const PageConfig& page, std::string token) : page_(page), token_(std::move(token)) {}

  /// nullopt where it may be answered.
  std::optional<Refusal> refuse(const Asked& asked) const;

  bool needs_token() const { return !token_.empty(); }
  /// Whether `given` is the token. Takes as long for any text.
  bool is_token(const std::string& given) const;
  /// The cookie that shows the token, as the value of Set-Cookie.
  std::string cookie() const;

 private:
  bool is_ours(const std::string& host) const;
  bool shows_token(const Asked& asked) const;

  const PageConfig page_;
  const std::string token_;
};

}  // namespace fer
