#include "report/report_text.h"

#include <cmath>
#include <cstdio>

namespace fer {

double number_of(const nlohmann::json& entry, const std::string& key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_number() ? found->get<double>() : NAN;
}

std::string percent(double share) {
  if (!std::isfinite(share)) return "–";
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * share);
  return text;
}

}  // namespace fer
