// What the sections of a report share.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace fer {

/// A number of a log's entry; NaN where it holds none under that key.
double number_of(const nlohmann::json& entry, const std::string& key);

/// "62.50 %"; a dash for what is not finite.
std::string percent(double share);

}  // namespace fer
