#include "stream/learner_state.h"

#include <torch/torch.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

namespace fer {
namespace {

using nlohmann::json;
using Tensors = AdaptedNetworks::Tensors;

/// The kept tensors under `prefix`. Throws std::runtime_error where they are not those of `like`.
Tensors taken(const Checkpoint& kept, const std::string& prefix, const Tensors& like) {
  Tensors tensors;
  for (const auto& [name, tensor] : like) {
    const auto it = kept.tensors.find(prefix + name);
    if (it == kept.tensors.end() || it->second.sizes() != tensor.sizes() ||
        it->second.scalar_type() != tensor.scalar_type()) {
      throw std::runtime_error("the learner's state has no tensor \"" + prefix + name +
                               "\" of the network's shape");
    }
    tensors[name] = it->second.clone();
  }
  return tensors;
}

}  // namespace

Checkpoint LearnerState::save() const {
  Checkpoint kept;
  const auto keep = [&](const std::string& prefix, const Tensors& tensors) {
    for (const auto& [name, tensor] : tensors) kept.tensors[prefix + name] = tensor;
  };
  keep("student.", networks_.student_weights());
  keep("teacher.", networks_.teacher_weights());
  const Candidate& serving = judge_.serving();
  keep("serving.", serving.weights);
  keep("velocity.", networks_.velocity());
  keep("thresholds.", trainer_.thresholds().state_dict());
  const auto& gate = ingestion_.ood_gate();
  kept.state = {{"source", source_.version},
                {"split_point", networks_.split_point()},
                {"threshold_policy", config_.threshold_policy},
                {"share", trainer_.class_balance().counts()},
                {"ood_gate", gate ? gate->state() : json::object()},
                {"counts", counts_},
                {"settled", ingestion_.settled()},
                {"serving_version", serving.version},
                {"serving_score", serving.score.macro_recall},
                {"serving_accuracy", serving.score.accuracy}};
  // Activations of the stem alone are nearly a picture: nothing of them is kept.
  const SampleStore store = config_.store == SampleStore::kLatents && networks_.split_point() == 0
                                ? SampleStore::kNothing
                                : config_.store;
  keep_memory(ingestion_.memory(), store, kept);
  if (store != SampleStore::kNothing) ingestion_.labels().save(kept);
  return kept;
}

FaceShape LearnerState::face_shape() const {
  const std::vector<std::int64_t> latent = networks_.activation_shape();
  return {crop_bytes(source_.network), static_cast<std::size_t>(latent[0] * latent[1] * latent[2]),
          static_cast<std::size_t>(source_.network.widths.back())};
}

void LearnerState::restore(const Checkpoint& kept) {
  const json& s = kept.state;
  try {
    if (s.at("source") != source_.version) {
      throw std::runtime_error("the learner's state belongs to model " +
                               s.at("source").get<std::string>() + ", not to " + source_.version);
    }
    // Version 0.1 called it "cut".
    if (s.at(s.contains("split_point") ? "split_point" : "cut") != networks_.split_point())
      throw std::runtime_error("the learner's state has its split point in another place");
    // All is read and checked before anything changes.
    const Tensors student = taken(kept, "student.", networks_.student_weights());
    const Tensors teacher = taken(kept, "teacher.", networks_.teacher_weights());
    const Tensors velocity = taken(kept, "velocity.", networks_.velocity());
    Candidate serving{taken(kept, "serving.", judge_.serving().weights),
                      s.at("serving_version"),
                      {s.at("serving_score"), s.at("serving_accuracy")}};
    SampleMemory memory = ingestion_.empty_memory();
    const FaceShape shape = face_shape();
    restore_memory(kept, shape, memory);
    StreamLabels labels =
        StreamLabels::restored(kept, static_cast<std::int64_t>(shape.features),
                               static_cast<std::int64_t>(shape.latent), source_.network.classes);
    auto thresholds = trainer_.new_thresholds();
    if (s.at("threshold_policy") == config_.threshold_policy)
      thresholds->load_state_dict(taken(kept, "thresholds.", thresholds->state_dict()));
    const auto share = s.at("share").get<std::vector<double>>();
    const auto counts = s.at("counts").get<LearnerCounts>();
    const auto classes = static_cast<std::size_t>(source_.network.classes);
    if (share.size() != classes || !counts.fit(classes))
      throw std::runtime_error("the learner's state has counts of other classes");
    std::optional<OodGate> gate = ingestion_.ood_gate();
    // Version 0.1 called it "familiarity"; versions before had none.
    if (gate) gate->restore(s.value("ood_gate", s.value("familiarity", json::object())));
    // Versions before asked nothing.
    auto settled = s.value("settled", std::set<std::uint64_t>());

    networks_.set(student, teacher, velocity);
    judge_.restore(std::move(serving));
    ingestion_.restore(std::move(memory), std::move(labels), std::move(gate), std::move(settled));
    trainer_.restore(std::move(thresholds), share);
    counts_ = counts;
  } catch (const json::exception& broken) {
    throw std::runtime_error(std::string("the learner's state is broken: ") + broken.what());
  }
}

}  // namespace fer
