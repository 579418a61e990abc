#include "stream/face_ingestion.h"

#include <torch/torch.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "stream/crop_views.h"
#include "stream/label_picker.h"
#include "stream/latent_reader.h"

namespace fer {
namespace {

/// Faces that the networks look at together.
constexpr std::size_t kChunk = 32;

std::int64_t now_s() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

FaceIngestion::FaceIngestion(const OnlineConfig& config, const ModelFile& source,
                             AdaptedNetworks& networks, const Teacher& teacher,
                             std::optional<OodGate> ood_gate)
    : config_(config),
      model_(source.info),
      crop_bytes_(crop_bytes(source.info.network)),
      networks_(networks),
      teacher_(teacher),
      builder_(config.tracklet, source.info.network.input_size),
      source_head_(LinearHead::of(source.weights)),
      memory_(empty_memory()),
      ood_gate_(std::move(ood_gate)) {}

SampleMemory FaceIngestion::empty_memory() const {
  return SampleMemory(config_.memory, model_.network.classes, config_.guards.memory);
}

void FaceIngestion::require_crop(const FaceSample& face) const {
  if (face.crop.size() == crop_bytes_) return;
  throw std::invalid_argument("a crop of " + std::to_string(face.crop.size()) +
                              " bytes; expected " + std::to_string(crop_bytes_));
}

void FaceIngestion::observe(std::vector<FaceSample> faces, LearnerCounts& counts) {
  std::vector<FaceSample> passed;
  const auto look = [&] {
    if (!passed.empty()) look_at(std::exchange(passed, {}), counts);
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
}

void FaceIngestion::end_of(const std::optional<std::string>& source, LearnerCounts& counts) {
  remember(builder_.end(source), counts);
}

void FaceIngestion::look_at(std::vector<FaceSample> faces, LearnerCounts& counts) {
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
    remember(builder_.add(std::move(faces[i]), {row, row + model_.network.classes}, confidence[i],
                          std::move(seen.latents[i])),
             counts);
    row += model_.network.classes;
  }
  counts.faces += faces.size();
}

void FaceIngestion::add_label(const FaceSample& face, int label) {
  require_crop(face);
  if (label < 0 || label >= model_.network.classes) {
    throw std::invalid_argument("label " + std::to_string(label) + "; expected one of " +
                                std::to_string(model_.network.classes) + " classes");
  }
  SeenFaces seen = see_faces(networks_, model_, {face.crop}, /*with_bytes=*/true);
  labels_.add(std::move(seen.latents.front()), label);
}

std::vector<LabelQuestion> FaceIngestion::questions(std::size_t n,
                                                    const std::set<std::string>& hidden,
                                                    const PickBy& by) const {
  KnownLabels known;
  known.settled = settled_;
  known.now_s = now_s();
  known.max_age_s = static_cast<std::int64_t>(config_.max_sample_age);
  known.per_class.resize(static_cast<std::size_t>(model_.network.classes));
  labels_.each([&](const FaceLatents& latents, int label) {
    ++known.per_class[static_cast<std::size_t>(label)];
    known.features.push_back(latents.features);
  });
  return pick_questions(memory_.items(), known, n, hidden, by);
}

void FaceIngestion::settle(std::uint64_t id, std::optional<LabelAnswer> answer) {
  if (answer == LabelAnswer::kCannotTell) {
    settled_.insert(id);
  } else {
    memory_.drop(id);
  }
  // Those that are forgotten need no note.
  std::set<std::uint64_t> remembered;
  for (const SampleMemory::Item& item : memory_.items()) remembered.insert(item.id);
  std::erase_if(settled_, [&](std::uint64_t one) { return !remembered.contains(one); });
}

bool FaceIngestion::expire() {
  if (config_.max_sample_age <= 0) return false;
  return memory_.drop_older(now_s() - static_cast<std::int64_t>(config_.max_sample_age));
}

void FaceIngestion::remember(std::vector<Evidence> ended, LearnerCounts& counts) {
  for (Evidence& evidence : ended) {
    ++counts.tracklets;
    if (const std::optional<Refusal> refusal = refusal_of(evidence))
      ++counts.refused[name_of(*refusal)];
    else
      memory_.add(std::move(evidence), now_s());
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

void FaceIngestion::restore(SampleMemory memory, StreamLabels labels,
                            std::optional<OodGate> ood_gate, std::set<std::uint64_t> settled) {
  memory_ = std::move(memory);
  settled_ = std::move(settled);
  labels_ = std::move(labels);
  expire();
  // A gate cannot be assigned: its limits never change.
  if (ood_gate) ood_gate_.emplace(*std::move(ood_gate));
}

void FaceIngestion::forget() {
  memory_ = empty_memory();
  settled_.clear();
  builder_.end();
  if (ood_gate_) ood_gate_->restore(nlohmann::json::object());
}

}  // namespace fer
