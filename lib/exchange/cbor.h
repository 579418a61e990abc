// CBOR (RFC 8949) from anybody.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace fer {

/// Parses one map whose values nest at most two deep: the library recurses on deeper ones until the
/// stack overflows. Throws RefusedMessage for anything else.
nlohmann::json parse_cbor(std::string_view bytes);

std::string to_cbor_text(const nlohmann::json& map);

/// A CBOR byte string, for a member of such a map.
nlohmann::json cbor_bytes(std::string_view bytes);
/// The bytes of such a member. Throws what nlohmann-json throws where it is none.
std::string_view bytes_of(const nlohmann::json& member);

}  // namespace fer
