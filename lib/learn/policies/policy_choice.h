// A policy chosen by its name and settings, as people write them.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/policy_list.h"
#include "learn/policies/policy_options.h"

namespace fer {

/// The names of a list's policies, in its order.
template <class List>
std::vector<std::string> policy_names() {
  std::vector<std::string> names;
  List::for_each([&](auto type) { names.emplace_back(decltype(type)::Policy::kName); });
  return names;
}

/// The policy that "NAME" or "NAME:SETTING=NUMBER,…" asks for. `kind` is what error sentences call
/// it ("threshold policy"). `describe(field, type, settings)` calls `field(name, member, low,
/// high)` for each setting of the policy. `name` and `settings` become what was chosen, with the
/// defaults filled in. Throws std::runtime_error that lists the names, or the settings.
template <class List, class Describe>
kernels::PolicyChoice<List> parse_policy(const std::string& kind, const std::string& text,
                                         std::string& name, std::map<std::string, double>& settings,
                                         Describe&& describe) {
  PolicyOptions options(kind, text);
  kernels::PolicyChoice<List> choice;
  bool known = false;
  List::for_each([&](auto type) {
    using Policy = typename decltype(type)::Policy;
    if (options.name() != Policy::kName) return;
    known = true;
    typename Policy::Settings chosen;
    const auto field = [&](const char* key, double& member, double low, double high) {
      member = options.get(key, member, low, high);
    };
    describe(field, type, chosen);
    options.check_all_known();
    choice = kernels::PolicyChoice<List>::template of<Policy>(chosen);
    name = Policy::kName;
    settings = options.values();
  });
  if (known) return choice;
  std::string names;
  for (const std::string& one : policy_names<List>()) names += (names.empty() ? "" : ", ") + one;
  throw std::runtime_error(kind + " \"" + options.name() + "\" is not known; expected one of " +
                           names);
}

/// All policies with the names of their settings: "fixed (tau), flex (tau, window), …".
template <class List, class Describe>
std::string policy_help(Describe&& describe) {
  std::string help;
  List::for_each([&](auto type) {
    using Policy = typename decltype(type)::Policy;
    typename Policy::Settings settings;
    std::string keys;
    const auto field = [&](const char* key, double&, double, double) {
      keys += (keys.empty() ? "" : ", ") + std::string(key);
    };
    describe(field, type, settings);
    help += (help.empty() ? "" : ", ") + std::string(Policy::kName) +
            (keys.empty() ? "" : " (" + keys + ")");
  });
  return help;
}

}  // namespace fer
