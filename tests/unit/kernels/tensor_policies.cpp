#include "unit/kernels/tensor_policies.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

namespace fer::test {
namespace {

using kernels::NegativeRule;
using kernels::ThresholdRule;
using torch::Tensor;

class Fixed : public TensorThresholds {
 public:
  Fixed(const ThresholdRule& rule, int classes) : TensorThresholds(classes), rule_(rule) {}
  Tensor thresholds() const override { return torch::full({classes_}, rule_.tau, torch::kFloat); }

 private:
  void learn(const PolicyStep&, const Tensor&, const Tensor&) override {}
  const ThresholdRule rule_;
};

class Flex : public TensorThresholds {
 public:
  Flex(const ThresholdRule& rule, int classes)
      : TensorThresholds(classes),
        rule_(rule),
        sigma_(torch::zeros({classes})),
        unused_(torch::full({1}, rule.window, torch::kFloat)) {}
  Tensor thresholds() const override {
    const Tensor x = sigma_ / torch::maximum(sigma_.max(), unused_);
    return rule_.tau * x / (2 - x);
  }

 private:
  void learn(const PolicyStep&, const Tensor& confidence, const Tensor& labels) override {
    const double kept = std::max(0.0, 1 - static_cast<double>(confidence.size(0)) / rule_.window);
    const Tensor confident = (confidence >= rule_.tau).to(torch::kFloat);
    sigma_ = sigma_ * kept + sum_by_class(confident, labels);
    unused_ = unused_ * kept + (1 - confident).sum();
  }
  const ThresholdRule rule_;
  Tensor sigma_, unused_;
};

class Free : public TensorThresholds {
 public:
  Free(const ThresholdRule& rule, int classes)
      : TensorThresholds(classes),
        momentum_(rule.momentum),
        tau_(torch::full({1}, 1.0 / classes, torch::kFloat)),
        p_(torch::full({classes}, 1.0 / classes, torch::kFloat)) {}
  Tensor thresholds() const override { return tau_ * p_ / p_.max(); }

 private:
  void learn(const PolicyStep& step, const Tensor& confidence, const Tensor&) override {
    if (confidence.size(0) == 0) return;
    tau_ = tau_ * momentum_ + (1 - momentum_) * confidence.mean();
    p_ = p_ * momentum_ + (1 - momentum_) * step.unlabelled.mean(0);
  }
  const double momentum_;
  Tensor tau_, p_;
};

class Soft : public TensorThresholds {
 public:
  Soft(const ThresholdRule& rule, int classes)
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
  void learn(const PolicyStep&, const Tensor& confidence, const Tensor&) override {
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
std::pair<Tensor, Tensor> right_and_confidence(const PolicyStep& step) {
  const auto [confidence, predicted] = step.labelled.max(1);
  return {(predicted == step.labels).to(torch::kFloat), confidence};
}

class AdaCm : public TensorThresholds {
 public:
  AdaCm(const ThresholdRule& rule, int classes)
      : TensorThresholds(classes),
        rule_(rule),
        sum_(torch::zeros({classes})),
        count_(torch::zeros({classes})),
        thresholds_(torch::full({classes}, rule.least, torch::kFloat)) {}
  Tensor thresholds() const override { return thresholds_; }

 private:
  void learn(const PolicyStep& step, const Tensor&, const Tensor&) override {
    if (step.epoch != epoch_) {
      const double rise = 1 / (1 + std::exp(-static_cast<double>(step.epoch)));
      thresholds_ = (sum_ / count_.clamp_min(1) * (rule_.beta * rise)).clamp_min(rule_.least);
      sum_ = torch::zeros_like(sum_);
      count_ = torch::zeros_like(count_);
      epoch_ = step.epoch;
    }
    const auto [right, confidence] = right_and_confidence(step);
    sum_ = sum_ + sum_by_class(confidence * right, step.labels);
    count_ = count_ + sum_by_class(right, step.labels);
  }
  const ThresholdRule rule_;
  Tensor sum_, count_, thresholds_;
  int epoch_ = 0;
};

class Dta : public TensorThresholds {
 public:
  Dta(const ThresholdRule& rule, int classes)
      : TensorThresholds(classes),
        rule_(rule),
        sum_(torch::zeros({classes})),
        weight_(torch::zeros({classes})),
        thresholds_(torch::full({classes}, rule.least, torch::kFloat)) {}
  Tensor thresholds() const override { return thresholds_; }

 private:
  void learn(const PolicyStep& step, const Tensor&, const Tensor&) override {
    const auto [right, confidence] = right_and_confidence(step);
    const Tensor count = sum_by_class(right, step.labels);
    const Tensor mean = sum_by_class(confidence * right, step.labels) / count.clamp_min(1);
    const Tensor kept = torch::pow(rule_.decay, count);
    sum_ = sum_ * kept + (1 - kept) * mean;
    weight_ = weight_ * kept + (1 - kept);
    const double rise = 1 / (1 + std::exp(-static_cast<double>(step.step) / rule_.ramp));
    thresholds_ =
        (sum_ / weight_.clamp_min(1e-12) * (rule_.beta * rise)).clamp(rule_.least, rule_.most);
  }
  const ThresholdRule rule_;
  Tensor sum_, weight_, thresholds_;
};

}  // namespace

PseudoLabels TensorThresholds::judge(const PolicyStep& step) {
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
  switch (rule.kind) {
    case ThresholdRule::kFixed:
      return std::make_unique<Fixed>(rule, classes);
    case ThresholdRule::kFlex:
      return std::make_unique<Flex>(rule, classes);
    case ThresholdRule::kFree:
      return std::make_unique<Free>(rule, classes);
    case ThresholdRule::kSoft:
      return std::make_unique<Soft>(rule, classes);
    case ThresholdRule::kAdaCm:
      return std::make_unique<AdaCm>(rule, classes);
    default:
      return std::make_unique<Dta>(rule, classes);
  }
}

Tensor tensor_negatives(const NegativeRule& rule, const NegativeStep& step) {
  const Tensor &q = step.teacher, none = torch::zeros_like(q, torch::kBool);
  if (rule.kind == NegativeRule::kNone) return none;
  if (rule.kind == NegativeRule::kFullMatch) {
    if (q.size(0) == 0) return none;
    const Tensor label = q.argmax(1, /*keepdim=*/true);
    const Tensor likelier = (step.student > step.student.gather(1, label)).sum(1).max();
    const Tensor rank = q.argsort(1, /*descending=*/true).argsort(1, /*descending=*/false);
    return rank >= (likelier + 1).clamp_min(2);
  }
  Tensor out;
  switch (rule.kind) {
    case NegativeRule::kUps:
      out = q < rule.tau;
      break;
    case NegativeRule::kLowest:
      out = none.scatter(1, std::get<1>(q.topk(rule.count, 1, /*largest=*/false)), 1);
      break;
    case NegativeRule::kArgmin:
      out = none.scatter(1, q.argmin(1, /*keepdim=*/true), 1);
      break;
    default: {
      const auto [sorted, order] = q.sort(1);
      const Tensor together = torch::zeros_like(q).scatter(1, order, sorted.cumsum(1));
      out = (together <= rule.mass + 1e-6) & (step.student >= rule.floor);
      break;
    }
  }
  return out & (q < q.amax(1, /*keepdim=*/true)) & ~step.accepted.unsqueeze(1);
}

}  // namespace fer::test
