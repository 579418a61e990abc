#include "stream/evidence_maker.h"

#include <torch/torch.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "stream/crop_views.h"
#include "stream/latent_reader.h"

namespace fer {
namespace {

/// Faces that the networks look at together.
constexpr std::size_t kChunk = 32;

}  // namespace

EvidenceMaker::EvidenceMaker(const OnlineConfig& config, const ModelFile& source,
                             AdaptedNetworks& networks, const Teacher& teacher)
    : config_(config),
      model_(source.info),
      crop_bytes_(crop_bytes(source.info.network)),
      networks_(networks),
      teacher_(teacher),
      builder_(config.tracklet, source.info.network.input_size),
      source_head_(LinearHead::of(source.weights)) {}

void EvidenceMaker::require_crop(const FaceSample& face) const {
  if (face.crop.size() == crop_bytes_) return;
  throw std::invalid_argument("a crop of " + std::to_string(face.crop.size()) +
                              " bytes; expected " + std::to_string(crop_bytes_));
}

std::vector<Evidence> EvidenceMaker::observe(std::vector<FaceSample> faces, LearnerCounts& counts) {
  std::vector<Evidence> ended;
  std::vector<FaceSample> passed;
  const auto look = [&] {
    if (!passed.empty()) look_at(std::exchange(passed, {}), counts, ended);
  };
  for (FaceSample& face : faces) {
    require_crop(face);
    if (const auto refusal = refuse_face(face, model_.network.input_size, config_.gates)) {
      ++counts.refused[name_of(*refusal)];
      continue;
    }
    passed.push_back(std::move(face));
    if (passed.size() == kChunk) look();
  }
  look();
  return ended;
}

void EvidenceMaker::look_at(std::vector<FaceSample> faces, LearnerCounts& counts,
                            std::vector<Evidence>& ended) {
  torch::NoGradGuard no_grad;
  CropViews::Crops crops;
  for (const FaceSample& face : faces) crops.emplace_back(face.crop);
  SeenFaces seen = see_faces(networks_, model_, crops,
                             /*with_bytes=*/config_.store == SampleStore::kLatents);
  const torch::Tensor q = teacher_.probabilities(seen.activations).contiguous();
  // The gate asks the source, not the teacher, which grows sure of whatever it learns.
  const torch::Tensor sure =
      torch::softmax(source_head_.logits(seen.features), 1).amax(1).contiguous();
  const float *row = q.data_ptr<float>(), *confidence = sure.data_ptr<float>();
  for (std::size_t i = 0; i < faces.size(); ++i) {
    auto now = builder_.add(std::move(faces[i]), {row, row + model_.network.classes}, confidence[i],
                            std::move(seen.latents[i]));
    std::move(now.begin(), now.end(), std::back_inserter(ended));
    row += model_.network.classes;
  }
  counts.faces += faces.size();
}

std::vector<Evidence> EvidenceMaker::end_of(const std::optional<std::string>& source) {
  return builder_.end(source);
}

std::optional<Refusal> EvidenceMaker::refuse(const Evidence& evidence) const {
  return builder_.refuse(evidence);
}

FaceLatents EvidenceMaker::latents_of(const FaceSample& face) {
  require_crop(face);
  return std::move(see_faces(networks_, model_, {face.crop}, /*with_bytes=*/true).latents.front());
}

}  // namespace fer
