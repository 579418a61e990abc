#include "exchange/model_message.h"

#include <nlohmann/json.hpp>

#include "exchange/cbor.h"
#include "exchange/refused_message.h"
#include "util/sha256.h"

namespace fer {
namespace {

using nlohmann::json;

constexpr char kFormat[] = "gst-fer-model/1";
constexpr std::size_t kMaxName = 128;

std::string name_in(const json& map, const char* key) {
  const auto& name = map.at(key).get_ref<const std::string&>();
  if (name.size() > kMaxName) {
    throw RefusedMessage(MessageFault::kBroken,
                         std::string("the model message is broken: its ") + key + " is no name");
  }
  return name;
}

}  // namespace

std::string encode_model(const ModelMessage& message) {
  return to_cbor_text({{"format", kFormat},
                       {"slot", message.slot},
                       {"version", message.version},
                       {"parent", message.parent},
                       {"service", message.service},
                       {"sha256", sha256(message.file)},
                       {"file", cbor_bytes(message.file)}});
}

ModelMessage decode_model(std::string_view bytes, const std::string& slot) {
  if (bytes.size() > kMaxModelBytes) {
    throw RefusedMessage(MessageFault::kTooLarge,
                         "the model message has " + std::to_string(bytes.size()) +
                             " bytes; expected at most " + std::to_string(kMaxModelBytes));
  }
  try {
    const json map = parse_cbor(bytes);
    const auto& format = map.at("format").get_ref<const std::string&>();
    if (format != kFormat) {
      throw RefusedMessage(
          MessageFault::kFormat,
          "the model message is of format " + format.substr(0, kMaxName) + "; expected " + kFormat);
    }
    ModelMessage message;
    message.slot = name_in(map, "slot");
    message.version = name_in(map, "version");
    message.parent = name_in(map, "parent");
    message.service = name_in(map, "service");
    message.sha256 = name_in(map, "sha256");
    message.file = bytes_of(map.at("file"));
    if (message.slot != slot) {
      throw RefusedMessage(MessageFault::kSlot, "the model is for the slot " + message.slot +
                                                    "; expected one for " + slot);
    }
    if (sha256(message.file) != message.sha256) {
      throw RefusedMessage(MessageFault::kHash, "the model of version " + message.version +
                                                    " is not what its hash says");
    }
    return message;
  } catch (const json::exception& wrong) {
    throw RefusedMessage(MessageFault::kBroken,
                         std::string("the model message is broken: ") + wrong.what());
  }
}

}  // namespace fer
