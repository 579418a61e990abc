#include "unit/kernels/tensor_policies.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace fer::test {
namespace {

using kernels::NegativeRule;
using kernels::ThresholdRule;
using torch::Tensor;

class Fixed : public TensorThresholds {
 public:
  Fixed(const kernels::Fixed::Settings& rule, int classes)
      : TensorThresholds(classes), rule_(rule) {}
  Tensor thresholds() const override { return torch::full({classes_}, rule_.tau, torch::kFloat); }

 private:
  void learn(const PolicyInput&, const Tensor&, const Tensor&) override {}
  const kernels::Fixed::Settings rule_;
};

class Flex : public TensorThresholds {
 public:
  Flex(const kernels::Flex::Settings& rule, int classes)
      : TensorThresholds(classes),
        rule_(rule),
        sigma_(torch::zeros({classes})),
        unused_(torch::full({1}, rule.window, torch::kFloat)) {}
  Tensor thresholds() const override {
    const Tensor x = sigma_ / torch::maximum(sigma_.max(), unused_);
    return rule_.tau * x / (2 - x);
  }

 private:
  void learn(const PolicyInput&, const Tensor& confidence, const Tensor& labels) override {
    const double kept = std::max(0.0, 1 - static_cast<double>(confidence.size(0)) / rule_.window);
    const Tensor confident = (confidence >= rule_.tau).to(torch::kFloat);
    sigma_ = sigma_ * kept + sum_by_class(confident, labels);
    unused_ = unused_ * kept + (1 - confident).sum();
  }
  const kernels::Flex::Settings rule_;
  Tensor sigma_, unused_;
};

class Free : public TensorThresholds {
 public:
  Free(const kernels::Free::Settings& rule, int classes)
      : TensorThresholds(classes),
        momentum_(rule.momentum),
        tau_(torch::full({1}, 1.0 / classes, torch::kFloat)),
        p_(torch::full({classes}, 1.0 / classes, torch::kFloat)) {}
  Tensor thresholds() const override { return tau_ * p_ / p_.max(); }

 private:
  void learn(const PolicyInput& step, const Tensor& confidence, const Tensor&) override {
    if (confidence.size(0) == 0) return;
    tau_ = tau_ * momentum_ + (1 - momentum_) * confidence.mean();
    p_ = p_ * momentum_ + (1 - momentum_) * step.unlabelled.mean(0);
  }
  const double momentum_;
  Tensor tau_, p_;
};

class Soft : public TensorThresholds {
 public:
  Soft(const kernels::Soft::Settings& rule, int classes)
      : TensorThresholds(classes),
        momentum_(rule.momentum),
        divisor_(rule.sigmas * rule.sigmas),
        mean_(torch::full({1}, 1.0 / classes, torch::kFloat)),
        variance_(torch::ones({1})) {}
  Tensor thresholds() const override {
    const Tensor distance = (variance_ * (2 * std::log(2.0) / divisor_)).sqrt();
    return (mean_ - distance).clamp_min(0).expand({classes_});
  }

 private:
  void learn(const PolicyInput&, const Tensor& confidence, const Tensor&) override {
    if (confidence.size(0) == 0) return;
    mean_ = mean_ * momentum_ + (1 - momentum_) * confidence.mean();
    if (confidence.size(0) > 1)
      variance_ = variance_ * momentum_ + (1 - momentum_) * confidence.var(/*unbiased=*/true);
  }
  Tensor weigh(const Tensor& confidence, const Tensor&) const override {
    const Tensor below = (confidence - mean_).clamp_max(0);
    return torch::exp(-below * below / (2 * variance_.clamp_min(1e-12) / divisor_));
  }
  const double momentum_, divisor_;
  Tensor mean_, variance_;
};

/// Rows of `step.labelled` that the teacher gets right, and its confidence on all of them.
std::pair<Tensor, Tensor> right_and_confidence(const PolicyInput& step) {
  const auto [confidence, predicted] = step.labelled.max(1);
  return {(predicted == step.labels).to(torch::kFloat), confidence};
}

class AdaCm : public TensorThresholds {
 public:
  AdaCm(const kernels::AdaCm::Settings& rule, int classes)
      : TensorThresholds(classes),
        rule_(rule),
        sum_(torch::zeros({classes})),
        count_(torch::zeros({classes})),
        thresholds_(torch::full({classes}, rule.t_min, torch::kFloat)) {}
  Tensor thresholds() const override { return thresholds_; }

 private:
  void learn(const PolicyInput& step, const Tensor&, const Tensor&) override {
    if (step.epoch != epoch_) {
      const double rise = 1 / (1 + std::exp(-static_cast<double>(step.epoch)));
      thresholds_ = (sum_ / count_.clamp_min(1) * (rule_.beta * rise)).clamp_min(rule_.t_min);
      sum_ = torch::zeros_like(sum_);
      count_ = torch::zeros_like(count_);
      epoch_ = step.epoch;
    }
    const auto [right, confidence] = right_and_confidence(step);
    sum_ = sum_ + sum_by_class(confidence * right, step.labels);
    count_ = count_ + sum_by_class(right, step.labels);
  }
  const kernels::AdaCm::Settings rule_;
  Tensor sum_, count_, thresholds_;
  int epoch_ = 0;
};

class Dta : public TensorThresholds {
 public:
  Dta(const kernels::Dta::Settings& rule, int classes)
      : TensorThresholds(classes),
        rule_(rule),
        sum_(torch::zeros({classes})),
        weight_(torch::zeros({classes})),
        thresholds_(torch::full({classes}, rule.t_min, torch::kFloat)) {}
  Tensor thresholds() const override { return thresholds_; }

 private:
  void learn(const PolicyInput& step, const Tensor&, const Tensor&) override {
    const auto [right, confidence] = right_and_confidence(step);
    const Tensor count = sum_by_class(right, step.labels);
    const Tensor mean = sum_by_class(confidence * right, step.labels) / count.clamp_min(1);
    const Tensor kept = torch::pow(rule_.decay, count);
    sum_ = sum_ * kept + (1 - kept) * mean;
    weight_ = weight_ * kept + (1 - kept);
    const double rise = 1 / (1 + std::exp(-static_cast<double>(step.step) / rule_.ramp));
    thresholds_ =
        (sum_ / weight_.clamp_min(1e-12) * (rule_.beta * rise)).clamp(rule_.t_min, rule_.t_max);
  }
  const kernels::Dta::Settings rule_;
  Tensor sum_, weight_, thresholds_;
};

}  // namespace

PseudoLabels TensorThresholds::update_and_label(const PolicyInput& step) {
  torch::NoGradGuard no_grad;
  const auto [confidence, labels] = step.unlabelled.max(1);
  learn(step, confidence, labels);
  return {labels, confidence, weigh(confidence, labels)};
}

Tensor TensorThresholds::weigh(const Tensor& confidence, const Tensor& labels) const {
  return (confidence >= thresholds().index_select(0, labels)).to(torch::kFloat);
}

Tensor TensorThresholds::sum_by_class(const Tensor& values, const Tensor& labels) const {
  return torch::zeros({classes_}, values.options()).index_add(0, labels, values);
}

std::unique_ptr<TensorThresholds> tensor_thresholds(const ThresholdRule& rule, int classes) {
  std::unique_ptr<TensorThresholds> made;
  const auto try_one = [&]<class Mine, class Policy>(std::type_identity<Mine>, Policy) {
    if (rule.is<Policy>())
      made = std::make_unique<Mine>(rule.settings.as<typename Policy::Settings>(), classes);
  };
  try_one(std::type_identity<Fixed>{}, kernels::Fixed{});
  try_one(std::type_identity<Flex>{}, kernels::Flex{});
  try_one(std::type_identity<Free>{}, kernels::Free{});
  try_one(std::type_identity<Soft>{}, kernels::Soft{});
  try_one(std::type_identity<AdaCm>{}, kernels::AdaCm{});
  try_one(std::type_identity<Dta>{}, kernels::Dta{});
  return made;
}

Tensor tensor_negatives(const NegativeRule& rule, const NegativeStep& step) {
  const Tensor &q = step.teacher, none = torch::zeros_like(q, torch::kBool);
  if (rule.is<kernels::NoNegatives>()) return none;
  if (rule.is<kernels::FullMatch>()) {
    if (q.size(0) == 0) return none;
    const Tensor label = q.argmax(1, /*keepdim=*/true);
    const Tensor likelier = (step.student > step.student.gather(1, label)).sum(1).max();
    const Tensor rank = q.argsort(1, /*descending=*/true).argsort(1, /*descending=*/false);
    return rank >= (likelier + 1).clamp_min(2);
  }
  Tensor out;
  if (rule.is<kernels::Ups>()) {
    out = q < rule.settings.as<kernels::Ups::Settings>().tau;
  } else if (rule.is<kernels::Lowest>()) {
    const auto n = static_cast<std::int64_t>(rule.settings.as<kernels::Lowest::Settings>().n);
    out = none.scatter(1, std::get<1>(q.topk(n, 1, /*largest=*/false)), 1);
  } else if (rule.is<kernels::Argmin>()) {
    out = none.scatter(1, q.argmin(1, /*keepdim=*/true), 1);
  } else {
    const auto& snl = rule.settings.as<kernels::Snl::Settings>();
    const auto [sorted, order] = q.sort(1);
    const Tensor together = torch::zeros_like(q).scatter(1, order, sorted.cumsum(1));
    out = (together <= snl.mass + 1e-6) & (step.student >= snl.floor);
  }
  return out & (q < q.amax(1, /*keepdim=*/true)) & ~step.accepted.unsqueeze(1);
}

}  // namespace fer::test
