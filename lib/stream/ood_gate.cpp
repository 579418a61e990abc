#include "stream/ood_gate.h"

#include <nlohmann/json.hpp>

namespace fer {
namespace {

/// Evidence that a share is of, about.
constexpr double kWindow = 50;
/// Sources that are kept apart. Streams come and go; their names must not fill the memory.
constexpr std::size_t kMaxSources = 4096;

}  // namespace

bool OodGate::admits(const std::string& source, float confidence) {
  if (unsure_.size() >= kMaxSources && !unsure_.contains(source)) unsure_.erase(unsure_.begin());
  double& share = unsure_.try_emplace(source, kUnsureOfKnown).first->second;
  share += ((confidence < doubt_ ? 1 : 0) - share) / kWindow;
  return share <= max_unsure_;
}

double OodGate::unsure(const std::string& source) const {
  const auto found = unsure_.find(source);
  return found == unsure_.end() ? kUnsureOfKnown : found->second;
}

nlohmann::json OodGate::state() const {
  return unsure_;
}

void OodGate::restore(const nlohmann::json& state) {
  unsure_ = state.get<std::map<std::string, double>>();
}

}  // namespace fer
