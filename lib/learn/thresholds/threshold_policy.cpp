#include "learn/thresholds/threshold_policy.h"

#include <torch/torch.h>

#include <stdexcept>
#include <utility>

#include "learn/thresholds/threshold_policies.h"

namespace fer {
namespace {

using Maker = std::unique_ptr<ThresholdPolicy> (*)(PolicyOptions&, int, std::int64_t);

const std::vector<std::pair<std::string, Maker>>& makers() {
  static const std::vector<std::pair<std::string, Maker>> all{
      {"fixed", make_fixed}, {"flex", make_flex},     {"free", make_free},
      {"soft", make_soft},   {"ada-cm", make_ada_cm}, {"dta", make_dta}};
  return all;
}

std::vector<double> values_of(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.to(torch::kCPU, torch::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

}  // namespace

PseudoLabels ThresholdPolicy::judge(const PolicyStep& step) {
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state_) tensor = tensor.to(step.unlabelled.device());
  const auto [confidence, labels] = step.unlabelled.max(1);
  learn(step, confidence, labels);
  return {labels, confidence, weigh(confidence, labels)};
}

torch::Tensor ThresholdPolicy::weigh(const torch::Tensor& confidence,
                                     const torch::Tensor& labels) const {
  return (confidence >= thresholds().index_select(0, labels)).to(torch::kFloat);
}

torch::Tensor ThresholdPolicy::sum_by_class(const torch::Tensor& values,
                                            const torch::Tensor& labels) const {
  return torch::zeros({classes_}, values.options()).index_add(0, labels, values);
}

void ThresholdPolicy::load_state(const std::map<std::string, torch::Tensor>& state) {
  for (auto& [name, tensor] : state_) {
    const auto it = state.find(name);
    if (it == state.end() || it->second.sizes() != tensor.sizes()) {
      throw std::runtime_error("threshold policy \"" + name_ + "\": expected a tensor \"" + name +
                               "\" of its shape in its state");
    }
    tensor = it->second.to(tensor.scalar_type()).clone();
  }
}

nlohmann::json ThresholdPolicy::describe() const {
  nlohmann::json state = nlohmann::json::object();
  for (const auto& [name, tensor] : state_) state[name] = values_of(tensor);
  return {{"policy", name_},
          {"settings", settings_},
          {"thresholds", values_of(thresholds())},
          {"state", std::move(state)}};
}

const std::vector<std::string>& threshold_policy_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, make] : makers()) all.push_back(name);
    return all;
  }();
  return names;
}

std::unique_ptr<ThresholdPolicy> make_threshold_policy(const std::string& text, int classes,
                                                       std::int64_t window) {
  PolicyOptions options("threshold policy", text);
  std::string known;
  for (const auto& [name, make] : makers()) {
    known += (known.empty() ? "" : ", ") + name;
    if (name != options.name()) continue;
    std::unique_ptr<ThresholdPolicy> policy = make(options, classes, window);
    options.check_all_known();
    policy->name_ = name;
    policy->settings_ = options.values();
    return policy;
  }
  throw std::runtime_error("threshold policy \"" + options.name() +
                           "\" is not known; expected one of " + known);
}

}  // namespace fer
