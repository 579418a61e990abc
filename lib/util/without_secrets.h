// Addresses for people to read: in messages, logs and records nobody learns a password from them.
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

namespace fer {
namespace secrets {

inline constexpr std::string_view kEnds = " \t\r\n\"'<>";
inline constexpr std::string_view kHidden = "***";

/// What names of query parameters have in them whose values are nobody's business.
inline constexpr std::array<std::string_view, 8> kSecret{"pass", "pwd",    "token",   "secret",
                                                         "auth", "apikey", "api_key", "signature"};

inline bool is_secret(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(kSecret.begin(), kSecret.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

/// Of what follows ://, up to the word's end. Files have no user, but an @ in some names.
inline std::string shown(std::string_view rest, bool is_file) {
  std::string out;
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos && !is_file) {
    out = kHidden;
    rest.remove_prefix(at);
  }
  while (!rest.empty()) {
    const std::size_t mark = rest.find_first_of("?&");
    if (mark == std::string_view::npos) break;
    out += rest.substr(0, mark + 1);
    rest.remove_prefix(mark + 1);
    const std::size_t end = std::min(rest.find_first_of("&#"), rest.size());
    const std::size_t equals = rest.substr(0, end).find('=');
    if (equals == std::string_view::npos || !is_secret(rest.substr(0, equals))) continue;
    out += rest.substr(0, equals + 1);
    out += kHidden;
    rest.remove_prefix(end);
  }
  return out.append(rest);
}

}  // namespace secrets

/// The text with *** for what may be secret in each address in it: the user and password before a
/// host (scheme://user:password@host), and the values of queries that are named like one
/// (?password=…, &token=…). Whatever stands between :// and the last @ of the same word counts as
/// user and password, since people write @ and / in passwords as they are.
inline std::string without_secrets(const std::string& text) {
  std::string out;
  std::size_t from = 0;
  for (std::size_t mark; (mark = text.find("://", from)) != std::string::npos;) {
    const std::size_t begin = mark + 3;
    const std::size_t end = std::min(text.find_first_of(secrets::kEnds, begin), text.size());
    out.append(text, from, begin - from);
    const bool is_file = std::string_view(text).substr(0, mark).ends_with("file");
    out += secrets::shown(std::string_view(text).substr(begin, end - begin), is_file);
    from = end;
  }
  return out.append(text, from);
}

}  // namespace fer
