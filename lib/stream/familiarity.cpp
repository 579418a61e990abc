#include "stream/familiarity.h"

#include <nlohmann/json.hpp>

namespace fer {
namespace {

/// Evidence that a share is of, about.
constexpr double kWindow = 50;
/// Sources that are kept apart. Streams come and go; their names must not fill the memory.
constexpr std::size_t kMostSources = 256;

}  // namespace

bool Familiarity::admits(const std::string& source, float confidence) {
  if (unsure_.size() >= kMostSources && !unsure_.contains(source)) unsure_.erase(unsure_.begin());
  double& share = unsure_.try_emplace(source, kUnsureOfKnown).first->second;
  share += ((confidence < doubt_ ? 1 : 0) - share) / kWindow;
  return share <= most_unsure_;
}

double Familiarity::unsure(const std::string& source) const {
  const auto found = unsure_.find(source);
  return found == unsure_.end() ? kUnsureOfKnown : found->second;
}

nlohmann::json Familiarity::state() const {
  return unsure_;
}

void Familiarity::restore(const nlohmann::json& state) {
  unsure_ = state.get<std::map<std::string, double>>();
}

}  // namespace fer
