#include "stream/face_ingestion.h"

#include <torch/torch.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "learn/data/batches.h"
#include "stream/crop_views.h"

namespace fer {
namespace {

/// Faces that the networks look at together.
constexpr std::size_t kChunk = 32;

}  // namespace

FaceIngestion::FaceIngestion(const OnlineConfig& config, const ModelInfo& model,
                             AdaptedNetworks& networks, const Teacher& teacher,
                             std::optional<OodGate> ood_gate)
    : config_(config),
      model_(model),
      crop_bytes_(crop_bytes(model.network)),
      networks_(networks),
      teacher_(teacher),
      builder_(config.tracklet, model.network.input_size),
      memory_(empty_memory()),
      ood_gate_(std::move(ood_gate)) {}

SampleMemory FaceIngestion::empty_memory() const {
  return SampleMemory(config_.memory, model_.network.classes, config_.guards.memory);
}

void FaceIngestion::observe(std::vector<FaceSample> faces, LearnerCounts& counts) {
  std::vector<FaceSample> passed;
  const auto look = [&] {
    if (!passed.empty()) look_at(std::exchange(passed, {}), counts);
  };
  for (FaceSample& face : faces) {
    if (face.crop.size() != crop_bytes_) {
      throw std::invalid_argument("a crop of " + std::to_string(face.crop.size()) +
                                  " bytes; expected " + std::to_string(crop_bytes_));
    }
    if (const auto refusal = refuse_face(face, model_.network.input_size, config_.gates)) {
      ++counts.refused[name_of(*refusal)];
      continue;
    }
    passed.push_back(std::move(face));
    if (passed.size() == kChunk) look();
  }
  look();
}

void FaceIngestion::end_of(const std::optional<std::string>& source, LearnerCounts& counts) {
  remember(builder_.end(source), counts);
}

void FaceIngestion::look_at(std::vector<FaceSample> faces, LearnerCounts& counts) {
  torch::NoGradGuard no_grad;
  CropViews::Crops crops;
  for (const FaceSample& face : faces) crops.emplace_back(face.crop);
  const NetworkConfig& n = model_.network;
  const torch::Tensor images =
      plain_images(crops, n.channels, n.input_size, {model_.mean, model_.stddev});
  const torch::Tensor activations =
      networks_.lower(images.contiguous(torch::MemoryFormat::ChannelsLast));
  const torch::Tensor q = teacher_.probabilities(activations).contiguous();
  // The gate asks the source, not the teacher, which grows sure of whatever it learns.
  const torch::Tensor sure = ood_gate_
                                 ? torch::softmax(networks_.source_logits(activations), 1).amax(1)
                                 : torch::ones({q.size(0)});
  const float *row = q.data_ptr<float>(), *confidence = sure.data_ptr<float>();
  for (FaceSample& face : faces) {
    remember(builder_.add(std::move(face), {row, row + n.classes}, *confidence++), counts);
    row += n.classes;
  }
  counts.faces += faces.size();
}

void FaceIngestion::remember(std::vector<Evidence> ended, LearnerCounts& counts) {
  for (Evidence& evidence : ended) {
    ++counts.tracklets;
    if (const std::optional<Refusal> refusal = refusal_of(evidence))
      ++counts.refused[name_of(*refusal)];
    else
      memory_.add(std::move(evidence));
  }
}

std::optional<Refusal> FaceIngestion::refusal_of(const Evidence& evidence) {
  // The gate counts contradictory tracklets, too: they are part of what the source shows.
  const bool in_distribution =
      !ood_gate_ || ood_gate_->admits(evidence.source, evidence.source_confidence);
  if (config_.guards.tracklets) {
    if (const auto refusal = builder_.refuse(evidence)) return refusal;
  }
  if (!in_distribution) return Refusal::kUnfamiliar;
  return std::nullopt;
}

void FaceIngestion::restore(SampleMemory memory, std::optional<OodGate> ood_gate) {
  memory_ = std::move(memory);
  // A gate cannot be assigned: its limits never change.
  if (ood_gate) ood_gate_.emplace(*std::move(ood_gate));
}

void FaceIngestion::forget() {
  memory_ = empty_memory();
  builder_.end();
  if (ood_gate_) ood_gate_->restore(nlohmann::json::object());
}

}  // namespace fer
