#include "learn/run/run_settings.h"

#include <stdexcept>
#include <vector>

#include "model/safetensors.h"

namespace fer {

using nlohmann::json;

std::string settings_difference(const json& there, const json& here, bool common) {
  constexpr std::size_t kTold = 5;
  // An empty object would flatten to an entry without a name.
  const auto flat = [](const json& one) { return one.empty() ? json::object() : one.flatten(); };
  const json old_ones = flat(there), new_ones = flat(here);
  std::vector<std::string> told;
  const auto name_of = [](std::string pointer) {
    pointer.erase(0, 1);
    return pointer;
  };
  for (const auto& [key, value] : old_ones.items()) {
    const auto now = new_ones.find(key);
    if (now == new_ones.end()) {
      if (!common) told.push_back(name_of(key) + " " + value.dump() + " there, none here");
    } else if (*now != value) {
      told.push_back(name_of(key) + " " + value.dump() + " there, " + now->dump() + " here");
    }
  }
  for (const auto& [key, value] : new_ones.items()) {
    if (!common && !old_ones.contains(key))
      told.push_back(name_of(key) + " none there, " + value.dump() + " here");
  }
  std::string text;
  for (std::size_t i = 0; i < told.size() && i < kTold; ++i) text += (i > 0 ? "; " : "") + told[i];
  if (told.size() > kTold) text += "; and " + std::to_string(told.size() - kTold) + " more";
  return text;
}

void require_same_settings(const std::filesystem::path& out, const json& known) {
  const std::filesystem::path path = out / "checkpoint";
  if (!std::filesystem::exists(path)) return;
  const SafetensorsFile file(path);
  const json state = json::parse(file.meta("state"), nullptr, /*allow_exceptions=*/false);
  if (!state.is_object() || !state.contains("config") || !state["config"].is_object()) return;
  const std::string difference = settings_difference(state["config"], known, /*common=*/true);
  if (difference.empty()) return;
  throw std::runtime_error(path.string() + ": was made with other settings (" + difference +
                           "); use them, or name another folder");
}

}  // namespace fer
