#include "exchange/cbor.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "exchange/refused_message.h"

namespace fer {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 2;

/// Only looks how deep values nest.
struct DepthCheck {
  int depth = 0;

  bool open() { return ++depth <= kMaxDepth; }
  bool close() {
    --depth;
    return true;
  }

  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(json::number_integer_t) { return true; }
  bool number_unsigned(json::number_unsigned_t) { return true; }
  bool number_float(json::number_float_t, const json::string_t&) { return true; }
  bool string(json::string_t&) { return true; }
  bool binary(json::binary_t&) { return true; }
  bool start_object(std::size_t) { return open(); }
  bool key(json::string_t&) { return true; }
  bool end_object() { return close(); }
  bool start_array(std::size_t) { return open(); }
  bool end_array() { return close(); }
  bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }
};

}  // namespace

json parse_cbor(std::string_view bytes) {
  DepthCheck check;
  json parsed(json::value_t::discarded);
  if (json::sax_parse(bytes.begin(), bytes.end(), &check, json::input_format_t::cbor))
    parsed = json::from_cbor(bytes.begin(), bytes.end(), /*strict=*/true,
                             /*allow_exceptions=*/false);
  if (!parsed.is_object()) {
    throw RefusedMessage(MessageFault::kBroken,
                         "the message is cut or none of ours: expected one map in CBOR");
  }
  return parsed;
}

std::string to_cbor_text(const json& map) {
  std::string text;
  json::to_cbor(map, text);
  return text;
}

json cbor_bytes(std::string_view bytes) {
  return json::binary(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

std::string_view bytes_of(const json& member) {
  const auto& bytes = member.get_ref<const json::binary_t&>();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace fer
