#include "learn/negatives/negative_policy.h"

#include <stdexcept>
#include <utility>

#include "learn/negatives/negative_policies.h"

namespace fer {
namespace {

using Maker = std::unique_ptr<NegativePolicy> (*)(PolicyOptions&, int);

const std::vector<std::pair<std::string, Maker>>& makers() {
  static const std::vector<std::pair<std::string, Maker>> all{
      {"none", make_none},     {"ups", make_ups},       {"fullmatch", make_fullmatch},
      {"lowest", make_lowest}, {"argmin", make_argmin}, {"snl", make_snl}};
  return all;
}

}  // namespace

nlohmann::json NegativePolicy::describe() const {
  return {{"policy", name_}, {"settings", settings_}};
}

const std::vector<std::string>& negative_policy_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, make] : makers()) all.push_back(name);
    return all;
  }();
  return names;
}

std::unique_ptr<NegativePolicy> make_negative_policy(const std::string& text, int classes) {
  PolicyOptions options("negative policy", text);
  std::string known;
  for (const auto& [name, make] : makers()) {
    known += (known.empty() ? "" : ", ") + name;
    if (name != options.name()) continue;
    std::unique_ptr<NegativePolicy> policy = make(options, classes);
    options.check_all_known();
    policy->name_ = name;
    policy->settings_ = options.values();
    return policy;
  }
  throw std::runtime_error("negative policy \"" + options.name() +
                           "\" is not known; expected one of " + known);
}

}  // namespace fer
