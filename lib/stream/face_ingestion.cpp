#include "stream/face_ingestion.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace fer {
namespace {

std::int64_t now_s() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

std::size_t product(const std::vector<std::int64_t>& shape) {
  return static_cast<std::size_t>(
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
}

}  // namespace

FaceIngestion::FaceIngestion(const OnlineConfig& config, const ModelFile& source,
                             AdaptedNetworks& networks, const Teacher& teacher,
                             std::optional<OodGate> ood_gate)
    : config_(config),
      model_(source.info),
      latent_bytes_(product(networks.activation_shape())),
      features_(static_cast<std::size_t>(source.weights.at(LinearHead::kWeight).size(1))),
      maker_(config, source, networks, teacher),
      memory_(empty_memory()),
      ood_gate_(std::move(ood_gate)) {}

SampleMemory FaceIngestion::empty_memory() const {
  return SampleMemory(config_.memory, model_.network.classes, config_.guards.memory);
}

void FaceIngestion::observe(std::vector<FaceSample> faces, LearnerCounts& counts) {
  remember(maker_.observe(std::move(faces), counts), 0, counts);
}

void FaceIngestion::end_of(const std::optional<std::string>& source, LearnerCounts& counts) {
  remember(maker_.end_of(source), 0, counts);
}

void FaceIngestion::take(Evidence evidence, std::int64_t age_s, LearnerCounts& counts) {
  const FaceLatents& latents = evidence.latents;
  const auto classes = static_cast<std::size_t>(model_.network.classes);
  if (latents.bytes.size() != latent_bytes_ || latents.features.size() != features_ ||
      evidence.mean.size() != classes || evidence.label < 0 ||
      evidence.label >= model_.network.classes) {
    throw std::invalid_argument("evidence of " + std::to_string(latents.bytes.size()) +
                                " activations, " + std::to_string(latents.features.size()) +
                                " features and " + std::to_string(evidence.mean.size()) +
                                " classes; expected " + std::to_string(latent_bytes_) + ", " +
                                std::to_string(features_) + " and " + std::to_string(classes));
  }
  evidence.crops.clear();
  counts.faces += static_cast<std::uint64_t>(std::max(0, evidence.frames));
  std::vector<Evidence> one;
  one.push_back(std::move(evidence));
  remember(std::move(one), age_s, counts);
}

void FaceIngestion::add_label(const FaceSample& face, int label) {
  if (label < 0 || label >= model_.network.classes) {
    throw std::invalid_argument("label " + std::to_string(label) + "; expected one of " +
                                std::to_string(model_.network.classes) + " classes");
  }
  labels_.add(maker_.latents_of(face), label);
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

void FaceIngestion::remember(std::vector<Evidence> ended, std::int64_t age_s,
                             LearnerCounts& counts) {
  for (Evidence& evidence : ended) {
    ++counts.tracklets;
    if (const std::optional<Refusal> refusal = refusal_of(evidence))
      ++counts.refused[name_of(*refusal)];
    else
      memory_.add(std::move(evidence), now_s() - age_s);
  }
}

std::optional<Refusal> FaceIngestion::refusal_of(const Evidence& evidence) {
  // The gate counts contradictory tracklets, too: they are part of what the source shows.
  const bool in_distribution =
      !ood_gate_ || ood_gate_->admits(evidence.source, evidence.source_confidence);
  if (config_.guards.tracklets) {
    if (const auto refusal = maker_.refuse(evidence)) return refusal;
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
  maker_.end_of(std::nullopt);
  if (ood_gate_) ood_gate_->restore(nlohmann::json::object());
}

}  // namespace fer
