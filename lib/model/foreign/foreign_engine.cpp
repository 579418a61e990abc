// A network of others as the classifier wants it: what it says becomes calibrated logits of its
// labels.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "model/foreign/foreign_model.h"
#include "model/foreign/network_runner.h"
#include "model/inference_engine.h"

namespace fer {
namespace {

/// Faces whose inputs are laid out at a time: memory stays bounded whatever the batch.
constexpr std::size_t kPortion = 16;
/// Below this, a probability has no logarithm worth having.
constexpr float kLeastProbability = 1e-12f;

class ForeignEngine final : public InferenceEngine {
 public:
  ForeignEngine(const ForeignModel& model, std::unique_ptr<const NetworkRunner> runner)
      : plan_(model.plan),
        runner_(std::move(runner)),
        probabilities_(model.description.type == OutputType::kProbabilities),
        scale_(static_cast<float>(1 / model.info.calibration.temperature)),
        bias_(model.info.calibration.bias) {
    for (std::size_t k = 0; k < model.description.labels.size(); ++k) {
      if (model.description.labels[k]) output_of_label_.push_back(k);
    }
    bias_.resize(output_of_label_.size());
  }

  void run(const std::uint8_t* crops, std::size_t n, float* logits) const override {
    const std::size_t portion = std::min(n, kPortion);
    std::vector<float> input(portion * plan_.input_size()), said(portion * runner_->outputs());
    for (std::size_t done = 0; done < n; done += portion) {
      const std::size_t count = std::min(portion, n - done);
      fill_input(plan_, crops + done * plan_.input_size(), count, input.data());
      runner_->run(input.data(), count, said.data());
      for (std::size_t i = 0; i < count; ++i) {
        const float* row = said.data() + i * runner_->outputs();
        for (std::size_t k = 0; k < output_of_label_.size(); ++k)
          *logits++ = scale_ * logit(row[output_of_label_[k]]) + bias_[k];
      }
    }
  }

  bool divisible() const override { return runner_->divisible(); }
  std::string name() const override { return runner_->name(); }

 private:
  /// What is not a number stays none, so that whoever asks sees it.
  float logit(float value) const {
    if (!probabilities_) return value;
    return std::log(value < kLeastProbability ? kLeastProbability : value);
  }

  const NetworkPlan plan_;
  const std::unique_ptr<const NetworkRunner> runner_;
  const bool probabilities_;
  const float scale_;
  std::vector<float> bias_;
  std::vector<std::size_t> output_of_label_;
};

}  // namespace

std::unique_ptr<const InferenceEngine> make_foreign_engine(const ForeignModel& model) {
  return std::make_unique<ForeignEngine>(model, open_runner(model.bytes, model.plan));
}

}  // namespace fer
