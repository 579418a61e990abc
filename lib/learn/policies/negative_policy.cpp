#include "learn/policies/negative_policy.h"

#include <torch/torch.h>

#include <algorithm>
#include <stdexcept>

#include "kernels/pseudo_label_step.h"
#include "learn/policies/policy_options.h"

namespace fer {
namespace {

using kernels::NegativeRule;

struct PolicyKind {
  const char* name;
  NegativeRule::Kind kind;
  /// Reads the settings that the kind has.
  void (*read)(PolicyOptions& options, int classes, NegativeRule& rule);
};

void read_none(PolicyOptions&, int, NegativeRule&) {}

const std::vector<PolicyKind>& kinds() {
  static const std::vector<PolicyKind> all{
      {"none", NegativeRule::kNone, read_none},
      {"ups", NegativeRule::kUps,
       [](PolicyOptions& o, int, NegativeRule& r) { r.tau = o.get("tau", r.tau, 0, 1); }},
      {"fullmatch", NegativeRule::kFullMatch, read_none},
      {"lowest", NegativeRule::kLowest,
       [](PolicyOptions& o, int classes, NegativeRule& r) {
         const int most = classes - 1;
         r.count = static_cast<int>(o.get("n", std::min(r.count, most), 1, most));
       }},
      {"argmin", NegativeRule::kArgmin, read_none},
      {"snl", NegativeRule::kSnl, [](PolicyOptions& o, int, NegativeRule& r) {
         r.mass = o.get("mass", r.mass, 0, 1);
         r.floor = o.get("floor", r.floor, 0, 1);
       }}};
  return all;
}

}  // namespace

torch::Tensor NegativePolicy::select(const NegativeStep& step) const {
  const torch::Tensor teacher = step.teacher.detach().contiguous();
  const torch::Tensor student = step.student.contiguous(), accepted = step.accepted.contiguous();
  torch::Tensor chosen = torch::empty(teacher.sizes(), torch::kBool);
  kernels::select_negatives(rule_, teacher.data_ptr<float>(), student.data_ptr<float>(),
                            accepted.data_ptr<bool>(), static_cast<int>(teacher.size(0)),
                            static_cast<int>(teacher.size(1)), chosen.data_ptr<bool>());
  return chosen;
}

nlohmann::json NegativePolicy::describe() const {
  return {{"policy", name_}, {"settings", settings_}};
}

const std::vector<std::string>& negative_policy_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const PolicyKind& kind : kinds()) all.emplace_back(kind.name);
    return all;
  }();
  return names;
}

std::unique_ptr<NegativePolicy> make_negative_policy(const std::string& text, int classes) {
  PolicyOptions options("negative policy", text);
  std::string known;
  for (const PolicyKind& kind : kinds()) {
    known += (known.empty() ? "" : ", ") + std::string(kind.name);
    if (kind.name != options.name()) continue;
    std::unique_ptr<NegativePolicy> policy(new NegativePolicy);
    policy->name_ = kind.name;
    policy->rule_.kind = kind.kind;
    kind.read(options, classes, policy->rule_);
    options.check_all_known();
    policy->settings_ = options.values();
    return policy;
  }
  throw std::runtime_error("negative policy \"" + options.name() +
                           "\" is not known; expected one of " + known);
}

}  // namespace fer
