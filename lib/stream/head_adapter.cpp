#include "stream/head_adapter.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "stream/label_head.h"
#include "stream/prototype_head.h"

namespace fer {

HeadAdapter::HeadAdapter(const OnlineConfig& config, const ModelFile& source)
    : config_(config), prior_(source.info.prior), source_(LinearHead::of(source.weights)) {}

std::optional<HeadProposal> HeadAdapter::by_prototypes(const SampleMemory& memory) const {
  const std::int64_t width = source_.weight.size(1);
  std::vector<float> all;
  for (const SampleMemory::Item& item : memory.items()) {
    const std::vector<float>& features = item.evidence.latents.features;
    // States of version 0.1 kept none.
    if (static_cast<std::int64_t>(features.size()) == width)
      all.insert(all.end(), features.begin(), features.end());
  }
  if (!config_.prototypes.enabled || all.empty()) return std::nullopt;
  const torch::Tensor features = torch::tensor(all).view({-1, width});
  const PrototypeHead made = make_prototype_head(source_, prior_, features, config_.prototypes);
  const int support = std::accumulate(made.support.begin(), made.support.end(), 0);
  return HeadProposal{made.head, "prototypes of " + std::to_string(support) + " faces"};
}

std::optional<HeadProposal> HeadAdapter::propose(const SampleMemory& memory,
                                                 const StreamLabels& labels) const {
  const std::optional<HeadProposal> prototypes = by_prototypes(memory);
  if (labels.empty()) return prototypes;
  const LabelledFeatures rows = labels.features();
  std::vector<HeadProposal> bases{{source_, ""}};
  if (prototypes) bases.push_back(*prototypes);

  // By the loss on faces that were held out: a base as it is, or fitted on from.
  std::optional<HeadProposal> best;
  double least = 0;
  for (const HeadProposal& base : bases) {
    const auto fit = choose_strength(base.head, prior_, rows, config_.seed);
    if (!fit) return prototypes;
    if (base.made_of.empty()) least = fit->base_loss;
    if (fit->base_loss < least) {
      least = fit->base_loss;
      best = base;
    }
    if (fit->loss >= least) continue;
    least = fit->loss;
    char text[120];
    std::snprintf(text, sizeof text, "%zu labelled faces of the stream (strength %g, %d folds)",
                  labels.size(), fit->strength, fit->folds);
    best = HeadProposal{fit_label_head(base.head, prior_, rows, fit->strength),
                        text + (base.made_of.empty() ? "" : " over " + base.made_of)};
  }
  return best;
}

}  // namespace fer
