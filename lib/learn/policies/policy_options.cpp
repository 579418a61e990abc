#include "learn/policies/policy_options.h"

#include <cstdio>
#include <sstream>
#include <stdexcept>

namespace fer {
namespace {

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

}  // namespace

PolicyOptions::PolicyOptions(std::string kind, const std::string& text) : kind_(std::move(kind)) {
  const std::size_t colon = text.find(':');
  name_ = text.substr(0, colon);
  if (colon == std::string::npos) return;
  std::istringstream settings(text.substr(colon + 1));
  for (std::string setting; std::getline(settings, setting, ',');) {
    const std::size_t equals = setting.find('=');
    std::size_t used = 0;
    double value = 0;
    try {
      if (equals != std::string::npos) value = std::stod(setting.substr(equals + 1), &used);
    } catch (const std::exception&) {
    }
    if (equals == std::string::npos || used == 0 || used != setting.size() - equals - 1) {
      throw std::runtime_error(kind_ + " \"" + text +
                               "\": expected NAME or NAME:SETTING=NUMBER,…, found \"" + setting +
                               "\"");
    }
    given_[setting.substr(0, equals)] = value;
  }
}

double PolicyOptions::get(const std::string& key, double fallback, double low, double high) {
  const auto it = given_.find(key);
  const double value = it == given_.end() ? fallback : it->second;
  if (!(value >= low && value <= high)) {
    throw std::runtime_error(kind_ + " \"" + name_ + "\": " + key + " must be in [" +
                             number_text(low) + ", " + number_text(high) + "], found " +
                             number_text(value));
  }
  values_[key] = value;
  return value;
}

void PolicyOptions::check_all_known() const {
  for (const auto& [key, value] : given_) {
    if (values_.contains(key)) continue;
    std::string known;
    for (const auto& [name, unused] : values_) known += (known.empty() ? "" : ", ") + name;
    throw std::runtime_error(kind_ + " \"" + name_ + "\" has no setting \"" + key + "\"; it has " +
                             (known.empty() ? "none" : known));
  }
}

}  // namespace fer
