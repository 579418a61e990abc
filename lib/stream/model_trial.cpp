#include "stream/model_trial.h"

#include <torch/torch.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "model/device_name.h"
#include "model/stored_model.h"
#include "network/model_file.h"
#include "network/torch_threads.h"
#include "network/torch_weights.h"
#include "stream/adapted_networks.h"
#include "stream/canary.h"
#include "stream/labelled_faces.h"
#include "util/first_line.h"

namespace fer {
namespace {

/// As a learner's own canary.
constexpr int kPerClass = 100;

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * share);
  return text;
}

}  // namespace

class ModelTrial::Impl {
 public:
  Impl(const std::filesystem::path& source, const std::filesystem::path& canary,
       const OnlineConfig& config)
      : config_(config),
        source_(with_calibration_in_head(read_model(source))),
        faces_(LabelledFaces::open(canary, "valid", source_, config.frozen_blocks, false,
                                   torch::Device(resolve_device(config.device)))),
        networks_(source_, faces_->split_point(), 0, torch::Device(resolve_device(config.device))),
        trunk_(trunk_version(source_, faces_->split_point())),
        canary_(*faces_, networks_.teacher(), source_.info, kPerClass, config.seed),
        source_score_(canary_.score(networks_.teacher())) {}

  Verdict judge(const std::filesystem::path& file) {
    const OneTorchThread one_thread;
    try {
      return judged(read_model(file));
    } catch (const std::exception& broken) {
      Verdict refused;
      refused.reason = first_line(broken.what());
      return refused;
    }
  }

 private:
  Verdict judged(const ModelFile& given) {
    require_relation(given);
    Verdict verdict;
    const CanaryScore score =
        given.info.version == source_.info.version ? source_score_ : score_of(given);
    verdict.score = score.macro_recall;
    verdict.accuracy = score.accuracy;
    verdict.judged = true;
    const bool may_serve = fer::judge(score, source_score_, source_score_, config_.canary_margin,
                                      config_.rollback_margin) == fer::Verdict::kPromote;
    verdict.reason = "macro recall " + percent(score.macro_recall) + ", the source's " +
                     percent(source_score_.macro_recall) + "; accuracy " + percent(score.accuracy) +
                     ", the source's " + percent(source_score_.accuracy);
    if (may_serve) verdict.model = std::make_shared<const StoredModel>(to_stored(given));
    return verdict;
  }

  /// Throws where the model is none that can be adapted from the source.
  void require_relation(const ModelFile& given) const {
    const std::string name = "version " + given.info.version;
    if (given.info.version != source_.info.version && given.info.parent != source_.info.version) {
      throw std::runtime_error(name + " was adapted from version " +
                               (given.info.parent.empty() ? "none" : given.info.parent) +
                               "; expected one adapted from " + source_.info.version);
    }
    if (nlohmann::json(given.info.network) != nlohmann::json(source_.info.network) ||
        given.info.labels != source_.info.labels) {
      throw std::runtime_error(name + " has another network or other labels than " +
                               source_.info.version);
    }
    if (const std::string found = trunk_version(given, networks_.split_point()); found != trunk_) {
      throw std::runtime_error(name + " has another lower half: " + found + "; expected " + trunk_);
    }
  }

  CanaryScore score_of(const ModelFile& given) {
    const ModelFile model = with_calibration_in_head(given);
    AdaptedNetworks::Tensors upper = networks_.teacher_weights();
    for (auto& [name, tensor] : upper) {
      const auto found = model.weights.find(name);
      if (found == model.weights.end() || found->second.sizes() != tensor.sizes())
        throw std::runtime_error("version " + given.info.version + " lacks the weights " + name);
      tensor = found->second;
    }
    networks_.set_teacher(upper);
    return canary_.score(networks_.teacher());
  }

  const OnlineConfig config_;
  const ModelFile source_;
  const std::unique_ptr<LabelledFaces> faces_;
  AdaptedNetworks networks_;
  const std::string trunk_;
  const Canary canary_;
  const CanaryScore source_score_;
};

ModelTrial::ModelTrial(const std::filesystem::path& source, const std::filesystem::path& canary,
                       const OnlineConfig& config)
    : impl_(std::make_unique<Impl>(source, canary, config)) {}
ModelTrial::~ModelTrial() = default;

ModelTrial::Verdict ModelTrial::judge(const std::filesystem::path& file) {
  return impl_->judge(file);
}

}  // namespace fer
