#include "stream/model_selector.h"

#include <torch/torch.h>

#include <cstdio>
#include <utility>

namespace fer {
namespace {

/// Models to go back to.
constexpr std::size_t kMaxEarlier = 4;

std::string words(const CanaryScore& score) {
  char text[80];
  std::snprintf(text, sizeof text, "macro recall %.1f %% and accuracy %.1f %%",
                score.macro_recall * 100, score.accuracy * 100);
  return text;
}

}  // namespace

std::string ModelSelector::compared(const CanaryScore& score) const {
  return "on the canary " + words(score) + ", against " + words(serving_.score) +
         " of the serving model and " + words(source_.score) + " of the source";
}

std::optional<ModelSelector::Part> ModelSelector::part_of_the_way(
    const Candidate& candidate,
    const std::function<CanaryScore(const std::map<std::string, torch::Tensor>&)>& score) const {
  for (const auto& [share, name] :
       {std::pair{0.75, "three quarters"}, {0.5, "half"}, {0.25, "a quarter"}}) {
    Candidate part;
    for (const auto& [tensor, from] : serving_.weights)
      part.weights[tensor] = torch::lerp(from, candidate.weights.at(tensor), share);
    part.score = score(part.weights);
    if (verdict_on(part.score) == Verdict::kPromote) return Part{std::move(part), name};
  }
  return std::nullopt;
}

void ModelSelector::promote(Candidate candidate) {
  if (!source_serves()) restore_earlier(std::move(serving_));
  serving_ = std::move(candidate);
}

bool ModelSelector::roll_back() {
  if (source_serves()) return false;
  serving_ = earlier_.empty() ? source_ : std::move(earlier_.back());
  if (!earlier_.empty()) earlier_.pop_back();
  return true;
}

void ModelSelector::reset() {
  serving_ = source_;
  earlier_.clear();
}

void ModelSelector::restore(Candidate serving) {
  serving_ = std::move(serving);
  earlier_.clear();
}

void ModelSelector::restore_earlier(Candidate earlier) {
  earlier_.push_back(std::move(earlier));
  if (earlier_.size() > kMaxEarlier) earlier_.pop_front();
}

}  // namespace fer
