#include "network/average_models.h"

#include <torch/torch.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace fer {
namespace {

/// What must be the same for weights to mean the same.
nlohmann::json kind_of(const ModelInfo& info) {
  nlohmann::json network = info.network;
  for (const char* in_training : {"drop_branch", "drop_feature", "dropout"})
    network.erase(in_training);
  return {{"network", network},
          {"labels", info.labels},
          {"mean", info.mean},
          {"std", info.stddev},
          {"align_template", info.align_template}};
}

}  // namespace

ModelFile average_models(const std::vector<ModelFile>& models) {
  if (models.empty()) throw std::runtime_error("expected models to take the mean of, found none");
  const ModelFile& first = models.front();
  nlohmann::json versions = nlohmann::json::array();
  for (const ModelFile& model : models) {
    if (kind_of(model.info) != kind_of(first.info)) {
      throw std::runtime_error(
          "model " + model.info.version + " is of another kind than " + first.info.version +
          ". Differences: " +
          nlohmann::json::diff(kind_of(first.info), kind_of(model.info)).dump());
    }
    versions.push_back(model.info.version);
  }
  ModelFile mean;
  mean.info = first.info;
  mean.info.parent = first.info.version;
  // They were fitted on the answers of one model, and the mean gives others.
  mean.info.calibration = {};
  mean.info.operating_points.clear();
  if (!mean.info.provenance.is_object()) mean.info.provenance = nlohmann::json::object();
  if (!first.info.calibration.bias.empty()) {
    // A fitted bias came with a prior of its own; what is left assumes the one before.
    const auto fitted = mean.info.provenance.value("calibration", nlohmann::json());
    if (fitted.is_object() && fitted.contains("prior_before"))
      mean.info.prior = fitted["prior_before"].get<std::vector<float>>();
  }
  mean.info.provenance.erase("calibration");
  mean.info.provenance["averaged"] = versions;
  for (const auto& [name, tensor] : first.weights) {
    torch::Tensor sum = torch::zeros_like(tensor, torch::kDouble);
    for (const ModelFile& model : models) sum += model.weights.at(name);
    mean.weights[name] = (sum / static_cast<double>(models.size())).to(tensor.scalar_type());
  }
  return mean;
}

}  // namespace fer
