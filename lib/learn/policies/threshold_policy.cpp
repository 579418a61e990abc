#include "learn/policies/threshold_policy.h"

#include <torch/torch.h>

#include <algorithm>
#include <stdexcept>

#include "kernels/pseudo_label_step.h"
#include "learn/policies/policy_choice.h"

namespace fer {
namespace {

using kernels::ThresholdPolicies;
using kernels::ThresholdRule;
using kernels::ThresholdState;

/// Calls `field(name, values, count)` for each member of a policy's state, with one number a class
/// or one in all.
template <class Field>
void for_each_field(const ThresholdRule& rule, ThresholdState& state, int classes, Field&& field) {
  rule.visit([&](auto type, const auto&) {
    using Policy = typename decltype(type)::Policy;
    const auto named = [&](const char* name, auto& member) {
      if constexpr (std::is_array_v<std::remove_reference_t<decltype(member)>>)
        field(name, member, classes);
      else
        field(name, &member, 1);
    };
    Policy::state(named, state.of<Policy>());
    if constexpr (Policy::kKeepsThresholds) named("thresholds", state.thresholds);
  });
}

torch::Tensor copied(const float* values, std::int64_t count) {
  return torch::tensor(torch::ArrayRef<float>(values, static_cast<std::size_t>(count)));
}

std::vector<double> values_of(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.to(torch::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

}  // namespace

bool ThresholdPolicy::uses_labelled() const {
  return kernels::reads_labelled(rule_);
}

const kernels::DtaCv::Settings* ThresholdPolicy::cross_fit() const {
  return rule_.is<kernels::DtaCv>() ? &rule_.settings.as<kernels::DtaCv::Settings>() : nullptr;
}

PseudoLabels ThresholdPolicy::update_and_label(const PolicyInput& step) {
  const torch::Tensor unlabelled = step.unlabelled.detach().contiguous();
  const std::int64_t rows = unlabelled.size(0);
  PseudoLabels labelling{torch::empty({rows}, torch::kLong), torch::empty({rows}),
                         torch::empty({rows})};
  torch::Tensor labelled, labels;
  kernels::PseudoLabelStep s;
  s.rows = static_cast<int>(rows);
  s.classes = classes_;
  s.teacher = unlabelled.data_ptr<float>();
  s.teacher_is_probabilities = true;
  if (uses_labelled()) {
    labelled = step.labelled.detach().contiguous();
    labels = step.labels.contiguous();
    s.labelled_rows = static_cast<int>(labelled.size(0));
    s.labelled = labelled.data_ptr<float>();
    s.labels = labels.data_ptr<std::int64_t>();
  }
  s.step = step.step;
  s.epoch = step.epoch;
  s.thresholds = rule_;
  s.state = &state_;
  s.pseudo_labels = labelling.labels.data_ptr<std::int64_t>();
  s.confidence = labelling.confidence.data_ptr<float>();
  s.weights = labelling.weights.data_ptr<float>();
  kernels::update_and_label(s);
  return labelling;
}

torch::Tensor ThresholdPolicy::thresholds() const {
  return copied(state_.thresholds, classes_);
}

void ThresholdPolicy::set_thresholds(const std::vector<double>& thresholds) {
  std::copy(thresholds.begin(), thresholds.end(), state_.thresholds);
}

std::map<std::string, torch::Tensor> ThresholdPolicy::state_dict() const {
  std::map<std::string, torch::Tensor> tensors;
  ThresholdState state = state_;
  for_each_field(rule_, state, classes_, [&](const char* name, const float* values, int count) {
    tensors[name] = copied(values, count);
  });
  return tensors;
}

void ThresholdPolicy::load_state_dict(const std::map<std::string, torch::Tensor>& state) {
  ThresholdState loaded = state_;
  for_each_field(rule_, loaded, classes_, [&](const char* name, float* values, int count) {
    const auto it = state.find(name);
    if (it == state.end() || it->second.dim() != 1 || it->second.size(0) != count) {
      throw std::runtime_error("threshold policy \"" + name_ + "\": expected a tensor \"" + name +
                               "\" of its shape in its state");
    }
    const torch::Tensor here = it->second.to(torch::kCPU, torch::kFloat).contiguous();
    std::copy_n(here.data_ptr<float>(), count, values);
  });
  kernels::show_thresholds(rule_, classes_, loaded);
  state_ = loaded;
}

nlohmann::json ThresholdPolicy::describe() const {
  nlohmann::json numbers = nlohmann::json::object();
  for (const auto& [name, tensor] : state_dict()) numbers[name] = values_of(tensor);
  return {{"policy", name_},
          {"settings", settings_},
          {"thresholds", values_of(thresholds())},
          {"state", std::move(numbers)}};
}

const std::vector<std::string>& threshold_policy_names() {
  static const std::vector<std::string> names = policy_names<ThresholdPolicies>();
  return names;
}

std::string threshold_policy_help() {
  return policy_help<ThresholdPolicies>([](auto& field, auto type, auto& settings) {
    decltype(type)::Policy::settings(field, settings);
  });
}

std::unique_ptr<ThresholdPolicy> make_threshold_policy(const std::string& text, int classes,
                                                       std::int64_t window) {
  if (classes < 2 || classes > kernels::kMaxClasses) {
    throw std::runtime_error("threshold policy \"" + text + "\": expected 2 to " +
                             std::to_string(kernels::kMaxClasses) + " classes, found " +
                             std::to_string(classes));
  }
  std::unique_ptr<ThresholdPolicy> policy(new ThresholdPolicy);
  policy->classes_ = classes;
  policy->rule_ =
      parse_policy<ThresholdPolicies>("threshold policy", text, policy->name_, policy->settings_,
                                      [&](auto& field, auto type, auto& settings) {
                                        if constexpr (requires { settings.window; })
                                          settings.window = static_cast<double>(window);
                                        decltype(type)::Policy::settings(field, settings);
                                      });
  policy->state_ = kernels::first_state(policy->rule_, classes);
  return policy;
}

}  // namespace fer
