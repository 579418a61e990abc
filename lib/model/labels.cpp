#include "model/labels.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace fer {

const std::vector<std::string>& ferplus_labels() {
  static const std::vector<std::string> labels{"neutral", "happiness", "surprise", "sadness",
                                               "anger",   "disgust",   "fear",     "contempt"};
  return labels;
}

std::optional<std::string> canonical_label(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> aliases{
      {"neutral", "neutral"},   {"neutrality", "neutral"},  {"none", "neutral"},
      {"calm", "neutral"},      {"happiness", "happiness"}, {"happy", "happiness"},
      {"joy", "happiness"},     {"joyful", "happiness"},    {"smile", "happiness"},
      {"surprise", "surprise"}, {"surprised", "surprise"},  {"astonished", "surprise"},
      {"sadness", "sadness"},   {"sad", "sadness"},         {"anger", "anger"},
      {"angry", "anger"},       {"disgust", "disgust"},     {"disgusted", "disgust"},
      {"fear", "fear"},         {"fearful", "fear"},        {"afraid", "fear"},
      {"scared", "fear"},       {"contempt", "contempt"},   {"contemptuous", "contempt"}};
  std::string key;
  for (unsigned char c : name)
    if (!std::isspace(c)) key += static_cast<char>(std::tolower(c));
  const auto it = aliases.find(key);
  if (it == aliases.end()) return std::nullopt;
  return it->second;
}

}  // namespace fer
