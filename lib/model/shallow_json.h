// JSON from files that anybody may have made.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

namespace fer {

/// Parses what nests at most `max_depth` deep: copies and prints of deeper values recurse until the
/// stack overflows. A discarded value where the text nests deeper or is not JSON.
inline nlohmann::json parse_shallow_json(std::string_view text, int max_depth) {
  using nlohmann::json;
  struct TooDeep {};
  const auto check = [max_depth](int depth, json::parse_event_t event, json&) {
    const bool opens =
        event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    if (opens && depth >= max_depth) throw TooDeep();
    return true;
  };
  try {
    return json::parse(text, check, /*allow_exceptions=*/false);
  } catch (const TooDeep&) {
    return json(json::value_t::discarded);
  }
}

}  // namespace fer
