#include "model/model_file.h"

#include <cmath>
#include <stdexcept>

#include "model/file_formats.h"
#include "model/network_layout.h"
#include "model/safetensors.h"
#include "model/shallow_json.h"
#include "model/stored_weights.h"

namespace fer {
namespace {

using nlohmann::json;

/// Provenance may nest some.
constexpr int kMaxDepth = 32;

ModelInfo info_of(const SafetensorsFile& file) {
  const auto& metadata = file.metadata();
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != kModelFormat) {
    throw std::runtime_error(file.path().string() + ": expected a model file (format " +
                             kModelFormat + "), found " + content_of(file));
  }
  ModelInfo info;
  try {
    const json model = parse_shallow_json(file.meta("model"), kMaxDepth);
    if (!model.is_object()) {
      throw std::runtime_error("its metadata \"model\" is not a JSON object");
    }
    model.at("network").get_to(info.network);
    model.at("labels").get_to(info.labels);
    model.at("mean").get_to(info.mean);
    model.at("std").get_to(info.stddev);
    model.at("align_template").get_to(info.align_template);
    model.at("prior").get_to(info.prior);
    info.mirror = model.value("mirror", false);
    model.at("version").get_to(info.version);
    model.at("parent").get_to(info.parent);
    info.provenance = model.value("provenance", json());
    info.thresholds = model.value("thresholds", json());
  } catch (const json::exception& error) {
    throw std::runtime_error(file.path().string() + ": its metadata is broken: " + error.what());
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(file.path().string() + ": " + error.what());
  }
  const auto classes = static_cast<std::size_t>(info.network.classes);
  const bool headless = info.labels.empty() && info.prior.empty();
  if (!headless && (info.labels.size() != classes || info.prior.size() != classes)) {
    throw std::runtime_error(file.path().string() + ": expected " + std::to_string(classes) +
                             " labels and priors, found " + std::to_string(info.labels.size()) +
                             " and " + std::to_string(info.prior.size()));
  }
  for (const std::string& label : info.labels) {
    if (label.empty()) throw std::runtime_error(file.path().string() + ": a label is empty");
  }
  bool finite = std::isfinite(info.mean) && std::isfinite(info.stddev) && info.stddev > 0;
  for (float p : info.prior) finite = finite && std::isfinite(p) && p > 0;
  if (!finite)
    throw std::runtime_error(file.path().string() +
                             ": mean, std and prior must be finite, std and prior positive");
  if (info.align_template != "fer" && info.align_template != "arcface")
    throw std::runtime_error(file.path().string() + ": align_template \"" + info.align_template +
                             "\" is not known; expected fer or arcface");
  return info;
}

}  // namespace

ModelInfo read_model_info(const std::filesystem::path& path) {
  return info_of(SafetensorsFile(path, FileAccess::kRead));
}

ModelFile read_model(const std::filesystem::path& path) {
  ModelFile model = read_start(path);
  if (model.info.labels.empty()) {
    throw std::runtime_error(path.string() +
                             ": expected a model that names expressions, found a start for "
                             "training without a head; make a model of it by: fer train --init");
  }
  return model;
}

ModelFile read_start(const std::filesystem::path& path) {
  const SafetensorsFile file(path, FileAccess::kRead);
  ModelFile model{info_of(file), {}};
  auto layout = network_layout(model.info.network);
  if (model.info.labels.empty())
    std::erase_if(layout, [](const auto& item) { return is_of_head(item.first); });
  model.weights = read_weights(file, layout);
  return model;
}

void write_model(const std::filesystem::path& path, ModelFile& model, bool bf16) {
  const StoredWeights stored(model.weights, bf16);
  model.info.version = stored.version();
  const ModelInfo& info = model.info;
  const json text{{"network", info.network},
                  {"labels", info.labels},
                  {"mean", info.mean},
                  {"std", info.stddev},
                  {"align_template", info.align_template},
                  {"prior", info.prior},
                  {"mirror", info.mirror},
                  {"version", info.version},
                  {"parent", info.parent},
                  {"provenance", info.provenance},
                  {"thresholds", info.thresholds}};
  write_safetensors(
      path, stored.views(),
      {{"format", kModelFormat}, {"model", text.dump()}, {kChecksumKey, stored.checksum()}});
}

}  // namespace fer
