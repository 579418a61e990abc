#include "learn/semi/self_gate.h"

#include <torch/torch.h>

#include <algorithm>
#include <stdexcept>

#include "learn/features/feature_views.h"
#include "learn/features/fit_face_gate.h"
#include "learn/run/module_run.h"

namespace fer {
namespace {

constexpr std::size_t kChunk = 512;

}  // namespace

SelfGate gate_unlabelled(SslData& data, const FeatureViews& views, int threads) {
  prepare_process(threads);
  torch::NoGradGuard no_grad;
  const FeatureInfo& info = views.info();
  if (info.grid == 0) {
    throw std::runtime_error(data.labelled.front().data->name() +
                             ": expected features of copies that are no faces, found none; make "
                             "them with: fer pack --features --gate-grid 3");
  }
  const FittedFaceGate fitted = fit_face_gate(pooled_maps(views.plain(data.labelled), info.grid),
                                              views.non_faces(data.labelled));
  SelfGate result;
  result.gate = fitted.gate;
  result.gate.network = info.network;
  result.gate.blocks = info.blocks;
  result.gate.grid = info.grid;
  result.faces_kept = fitted.faces_kept;
  result.non_faces_accepted = fitted.non_faces_accepted;
  std::vector<FaceRef> kept;
  for (std::size_t first = 0; first < data.unlabelled.size(); first += kChunk) {
    const auto begin = data.unlabelled.begin() + static_cast<std::ptrdiff_t>(first);
    const std::vector<FaceRef> some(begin, begin + static_cast<std::ptrdiff_t>(std::min(
                                                       kChunk, data.unlabelled.size() - first)));
    const torch::Tensor accepted =
        accepted_by(fitted.gate, pooled_maps(views.plain(some), info.grid));
    for (std::size_t i = 0; i < some.size(); ++i) {
      const bool passes = accepted[static_cast<std::int64_t>(i)].item<bool>();
      const bool distractor = some[i].label == kDistractor;
      ++(distractor ? result.distractors : result.unlabelled);
      if (!passes) continue;
      ++(distractor ? result.distractors_kept : result.unlabelled_kept);
      kept.push_back(some[i]);
    }
  }
  data.unlabelled = std::move(kept);
  return result;
}

}  // namespace fer
