// JSON of names that may be no UTF-8: paths are bytes, and so are the names of folders that become
// splits and sources.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace fer {

/// As dump(), which throws for such a name, with U+FFFD in the place of what is no UTF-8.
template <typename Json>
std::string json_text(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

/// The text with U+FFFD in the place of what is no UTF-8.
inline std::string as_utf8(const std::string& text) {
  return nlohmann::json::parse(json_text(nlohmann::json(text))).get<std::string>();
}

}  // namespace fer
