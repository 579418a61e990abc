#include "learn/policies/negative_policy.h"

#include <torch/torch.h>

#include <algorithm>

#include "kernels/pseudo_label_step.h"
#include "learn/policies/policy_choice.h"

namespace fer {

using kernels::NegativePolicies;
using kernels::SnlConformal;

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

const SnlConformal::Settings* NegativePolicy::cross_fit() const {
  return rule_.is<SnlConformal>() ? &rule_.settings.as<SnlConformal::Settings>() : nullptr;
}

void NegativePolicy::set_quantiles(const std::vector<double>& quantiles) {
  std::copy(quantiles.begin(), quantiles.end(), rule_.state.as<SnlConformal::State>().quantiles);
}

const std::vector<std::string>& negative_policy_names() {
  static const std::vector<std::string> names = policy_names<NegativePolicies>();
  return names;
}

std::string negative_policy_help() {
  return policy_help<NegativePolicies>([](auto& field, auto type, auto& settings) {
    decltype(type)::Policy::settings(field, settings, kernels::kMaxClasses);
  });
}

std::unique_ptr<NegativePolicy> make_negative_policy(const std::string& text, int classes) {
  std::unique_ptr<NegativePolicy> policy(new NegativePolicy);
  static_cast<kernels::PolicyChoice<NegativePolicies>&>(policy->rule_) =
      parse_policy<NegativePolicies>("negative policy", text, policy->name_, policy->settings_,
                                     [&](auto& field, auto type, auto& settings) {
                                       decltype(type)::Policy::settings(field, settings, classes);
                                     });
  return policy;
}

}  // namespace fer
