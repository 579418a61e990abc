#include "home-assistant.h"

#include <cctype>
#include <nlohmann/json.hpp>

namespace fer {
namespace {

using Json = nlohmann::ordered_json;

/// What templates of Home Assistant (Jinja) make of a record.
constexpr const char* kExpression =
    "{% set faces = value_json.objects %}{% set e = (faces | first).emotion if faces else none %}"
    "{{ 'nobody' if not faces else 'unsure' if not e or e.unsure else e.label }}";
constexpr const char* kFaces = "{{ value_json.objects | length }}";

/// A topic as a name: Home Assistant takes letters, digits, _ and -.
std::string as_id(const std::string& text) {
  std::string id = text;
  for (char& letter : id) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '-') letter = '_';
  }
  return id;
}

}  // namespace

std::vector<MqttMessage> home_assistant_discovery(const std::string& prefix,
                                                  const std::string& topic,
                                                  const std::string& availability,
                                                  const std::string& source) {
  const std::string id = as_id(topic);
  const Json device{{"identifiers", {"gst-fer_" + id}},
                    {"name", source.empty() ? topic : source},
                    {"manufacturer", "gst-fer"},
                    {"model", "ferpublish"},
                    {"sw_version", PACKAGE_VERSION}};
  const auto sensor = [&](const std::string& name, const std::string& title, const char* icon,
                          const char* value, const Json& more) {
    Json config{{"name", title},
                {"unique_id", "gst-fer_" + id + "_" + name},
                {"state_topic", topic},
                {"value_template", value},
                {"availability_topic", availability},
                {"payload_available", "online"},
                {"payload_not_available", "offline"},
                {"icon", icon},
                {"device", device}};
    config.update(more);
    return MqttMessage{prefix + "/sensor/" + id + "/" + name + "/config", config.dump(), 1, true};
  };
  return {
      sensor("expression", "Expression", "mdi:emoticon-outline", kExpression,
             {{"json_attributes_topic", topic}}),
      sensor("faces", "Faces", "mdi:account-multiple", kFaces, {{"state_class", "measurement"}})};
}

}  // namespace fer
