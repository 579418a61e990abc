#include "learn/policies/threshold_policy.h"

#include <torch/torch.h>

#include <algorithm>
#include <stdexcept>

#include "kernels/pseudo_label_step.h"
#include "kernels/thresholds/threshold_rules.h"
#include "learn/policies/policy_options.h"

namespace fer {
namespace {

using kernels::ThresholdRule;
using kernels::ThresholdState;

/// A part of a policy's state, by the name that its formula gives it.
struct StateField {
  const char* name;
  float* (*in)(ThresholdState&);
  bool a_class;  ///< One number a class, else one.
};

float* thresholds_in(ThresholdState& s) {
  return s.thresholds;
}
float* sums_in(ThresholdState& s) {
  return s.sums;
}
float* counts_in(ThresholdState& s) {
  return s.counts;
}
float* mean_in(ThresholdState& s) {
  return &s.mean;
}
float* variance_in(ThresholdState& s) {
  return &s.variance;
}

struct PolicyKind {
  const char* name;
  ThresholdRule::Kind kind;
  /// Reads the settings that the kind has.
  void (*read)(PolicyOptions& options, double window, ThresholdRule& rule);
  std::vector<StateField> state;
};

const std::vector<PolicyKind>& kinds() {
  static const std::vector<PolicyKind> all{
      {"fixed",
       ThresholdRule::kFixed,
       [](PolicyOptions& o, double, ThresholdRule& r) { r.tau = o.get("tau", r.tau, 0, 1); },
       {}},
      {"flex",
       ThresholdRule::kFlex,
       [](PolicyOptions& o, double window, ThresholdRule& r) {
         r.tau = o.get("tau", r.tau, 0, 1);
         r.window = o.get("window", window, 1, 1e9);
       },
       {{"sigma", sums_in, true}, {"unused", mean_in, false}}},
      {"free",
       ThresholdRule::kFree,
       [](PolicyOptions& o, double, ThresholdRule& r) {
         r.momentum = o.get("momentum", r.momentum, 0, 1);
       },
       {{"tau", mean_in, false}, {"p", sums_in, true}}},
      {"soft",
       ThresholdRule::kSoft,
       [](PolicyOptions& o, double, ThresholdRule& r) {
         r.momentum = o.get("momentum", r.momentum, 0, 1);
         r.sigmas = o.get("sigmas", r.sigmas, 0.1, 10);
       },
       {{"mean", mean_in, false}, {"variance", variance_in, false}}},
      {"ada-cm",
       ThresholdRule::kAdaCm,
       [](PolicyOptions& o, double, ThresholdRule& r) {
         r.beta = o.get("beta", r.beta, 0, 1);
         r.least = o.get("t-min", r.least, 0, 1);
       },
       {{"sum", sums_in, true},
        {"count", counts_in, true},
        {"thresholds", thresholds_in, true},
        {"epoch", mean_in, false}}},
      {"dta",
       ThresholdRule::kDta,
       [](PolicyOptions& o, double, ThresholdRule& r) {
         r.beta = o.get("beta", r.beta, 0, 2);
         r.least = o.get("t-min", r.least, 0, 1);
         r.most = o.get("t-max", r.most, r.least, 1);
         r.decay = o.get("decay", r.decay, 0, 0.999999);
         r.ramp = o.get("ramp", r.ramp, 1, 1e9);
       },
       {{"sum", sums_in, true}, {"weight", counts_in, true}, {"thresholds", thresholds_in, true}}}};
  return all;
}

const std::vector<StateField>& fields_of(const ThresholdRule& rule) {
  return std::find_if(kinds().begin(), kinds().end(),
                      [&](const PolicyKind& k) { return k.kind == rule.kind; })
      ->state;
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

PseudoLabels ThresholdPolicy::judge(const PolicyStep& step) {
  const torch::Tensor unlabelled = step.unlabelled.detach().contiguous();
  const std::int64_t rows = unlabelled.size(0);
  PseudoLabels judged{torch::empty({rows}, torch::kLong), torch::empty({rows}),
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
  s.state = &numbers_;
  s.pseudo_labels = judged.labels.data_ptr<std::int64_t>();
  s.confidence = judged.confidence.data_ptr<float>();
  s.weights = judged.weights.data_ptr<float>();
  kernels::judge_pseudo_labels(s);
  return judged;
}

torch::Tensor ThresholdPolicy::thresholds() const {
  return copied(numbers_.thresholds, classes_);
}

std::map<std::string, torch::Tensor> ThresholdPolicy::state() const {
  std::map<std::string, torch::Tensor> state;
  kernels::ThresholdState numbers = numbers_;
  for (const StateField& field : fields_of(rule_))
    state[field.name] = copied(field.in(numbers), field.a_class ? classes_ : 1);
  return state;
}

void ThresholdPolicy::load_state(const std::map<std::string, torch::Tensor>& state) {
  kernels::ThresholdState numbers = numbers_;
  for (const StateField& field : fields_of(rule_)) {
    const std::int64_t count = field.a_class ? classes_ : 1;
    const auto it = state.find(field.name);
    if (it == state.end() || it->second.dim() != 1 || it->second.size(0) != count) {
      throw std::runtime_error("threshold policy \"" + name_ + "\": expected a tensor \"" +
                               field.name + "\" of its shape in its state");
    }
    const torch::Tensor values = it->second.to(torch::kCPU, torch::kFloat).contiguous();
    std::copy_n(values.data_ptr<float>(), count, field.in(numbers));
  }
  kernels::show_thresholds(rule_, classes_, numbers);
  numbers_ = numbers;
}

nlohmann::json ThresholdPolicy::describe() const {
  nlohmann::json numbers = nlohmann::json::object();
  for (const auto& [name, tensor] : state()) numbers[name] = values_of(tensor);
  return {{"policy", name_},
          {"settings", settings_},
          {"thresholds", values_of(thresholds())},
          {"state", std::move(numbers)}};
}

const std::vector<std::string>& threshold_policy_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const PolicyKind& kind : kinds()) all.emplace_back(kind.name);
    return all;
  }();
  return names;
}

std::unique_ptr<ThresholdPolicy> make_threshold_policy(const std::string& text, int classes,
                                                       std::int64_t window) {
  if (classes < 2 || classes > kernels::kMostClasses) {
    throw std::runtime_error("threshold policy \"" + text + "\": expected 2 to " +
                             std::to_string(kernels::kMostClasses) + " classes, found " +
                             std::to_string(classes));
  }
  PolicyOptions options("threshold policy", text);
  std::string known;
  for (const PolicyKind& kind : kinds()) {
    known += (known.empty() ? "" : ", ") + std::string(kind.name);
    if (kind.name != options.name()) continue;
    std::unique_ptr<ThresholdPolicy> policy(new ThresholdPolicy);
    policy->classes_ = classes;
    policy->name_ = kind.name;
    policy->rule_.kind = kind.kind;
    kind.read(options, static_cast<double>(window), policy->rule_);
    options.check_all_known();
    policy->settings_ = options.values();
    policy->numbers_ = kernels::first_state(policy->rule_, classes);
    return policy;
  }
  throw std::runtime_error("threshold policy \"" + options.name() +
                           "\" is not known; expected one of " + known);
}

}  // namespace fer
