#include "learn/semi/pseudo_labeller.h"

#include <torch/torch.h>

#include <cmath>

#include "learn/features/fit_face_gate.h"
#include "learn/semi/cross_fit.h"

namespace fer {
namespace {

class TeacherSoftmax : public PseudoLabeller {
 public:
  torch::Tensor probabilities(const TeacherOutput& teacher) override {
    return torch::softmax(teacher.logits, 1);
  }
};

/// DebiasPL.
class Debiased : public PseudoLabeller {
 public:
  Debiased(double lambda, std::int64_t classes)
      : lambda_(lambda),
        marginal_(torch::full({classes}, 1.0 / static_cast<double>(classes), torch::kFloat)) {}

  torch::Tensor probabilities(const TeacherOutput& teacher) override {
    const torch::Tensor& z = teacher.logits;
    marginal_ = marginal_.to(z.device());
    const torch::Tensor debiased = torch::softmax(z - lambda_ * marginal_.log(), 1);
    if (z.size(0) > 0)
      marginal_ = kMomentum * marginal_ + (1 - kMomentum) * torch::softmax(z, 1).mean(0);
    return debiased;
  }
  torch::Tensor student_shift() const override { return lambda_ * marginal_.log(); }

  std::map<std::string, torch::Tensor> state_dict() const override {
    return {{"marginal", marginal_.to(torch::kCPU)}};
  }
  void load_state_dict(const std::map<std::string, torch::Tensor>& state) override {
    const auto found = state.find("marginal");
    if (found != state.end()) marginal_ = found->second;
  }

 private:
  static constexpr double kMomentum = 0.999;
  const double lambda_;
  torch::Tensor marginal_;  ///< p̂, C.
};

class CrossFitted : public PseudoLabeller {
 public:
  CrossFitted(const Method& method, const CrossFitConfig& config, std::int64_t refit,
              ThresholdPolicy& thresholds, NegativePolicy& negatives, const CrossFitSource& source)
      : method_(method),
        mix_(config.mix),
        refit_(refit),
        thresholds_(thresholds),
        negatives_(negatives),
        source_(source),
        heads_(config, source.labels, source.names) {}

  bool begin_step(std::int64_t step) override {
    if (heads_.fitted() && (method_.map_heads || step % refit_ != 0)) return false;
    heads_.fit(source_.labelled(), mix_ ? source_.pool() : torch::Tensor());
    put_into_policies();
    return true;
  }
  torch::Tensor probabilities(const TeacherOutput& teacher) override {
    return probabilities_of_labelled(teacher);
  }
  torch::Tensor probabilities_of_labelled(const TeacherOutput& teacher) const override {
    const torch::Tensor seen =
        method_.map_heads ? pooled_maps(teacher.maps, kHeadGrid) : teacher.features;
    const torch::Tensor q = heads_.probabilities(seen).to(teacher.logits.device());
    if (method_.network_share == 0) return q;
    const torch::Tensor own = torch::log_softmax(teacher.logits, 1);
    return torch::softmax(torch::lerp(q.clamp_min(1e-12).log(), own, method_.network_share), 1);
  }
  torch::Tensor soft_labels(const torch::Tensor& probabilities) const override {
    if (method_.soften == 0) return {};
    return torch::softmax(probabilities.clamp_min(1e-12).log() / method_.soften, 1);
  }
  torch::Tensor student_shift() const override {
    if (!mix_) return {};
    return torch::tensor(torch::ArrayRef<double>(heads_.mix()), torch::kDouble)
        .log()
        .to(torch::kFloat);
  }

  std::map<std::string, torch::Tensor> state_dict() const override { return heads_.state_dict(); }
  void load_state_dict(const std::map<std::string, torch::Tensor>& state) override {
    if (state.empty()) return;
    heads_.load_state_dict(state);
    put_into_policies();
  }

 private:
  void put_into_policies() {
    if (thresholds_.cross_fit()) thresholds_.set_thresholds(heads_.thresholds());
    if (negatives_.cross_fit()) negatives_.set_quantiles(heads_.quantiles());
  }

  const Method method_;
  const bool mix_;
  const std::int64_t refit_;
  ThresholdPolicy& thresholds_;
  NegativePolicy& negatives_;
  const CrossFitSource source_;
  CrossFit heads_;
};

}  // namespace

torch::Tensor PseudoLabeller::probabilities_of_labelled(const TeacherOutput& teacher) const {
  return torch::softmax(teacher.logits, 1);
}

std::unique_ptr<PseudoLabeller> make_pseudo_labeller(const Method& method,
                                                     ThresholdPolicy& thresholds,
                                                     NegativePolicy& negatives,
                                                     const CrossFitSource& source) {
  const auto classes = static_cast<std::int64_t>(source.names.size());
  if (!thresholds.cross_fit() && !negatives.cross_fit()) {
    if (method.debias > 0) return std::make_unique<Debiased>(method.debias, classes);
    return std::make_unique<TeacherSoftmax>();
  }
  const kernels::DtaCv::Settings settings =
      thresholds.cross_fit() ? *thresholds.cross_fit() : kernels::DtaCv::Settings{};
  CrossFitConfig config;
  config.folds = static_cast<int>(settings.folds);
  config.l2 = settings.l2;
  config.precision = {settings.rho, settings.z, settings.top};
  config.mix = settings.mix > 0;
  if (negatives.cross_fit()) config.alpha = negatives.cross_fit()->alpha;
  return std::make_unique<CrossFitted>(method, config, static_cast<std::int64_t>(settings.refit),
                                       thresholds, negatives, source);
}

}  // namespace fer
