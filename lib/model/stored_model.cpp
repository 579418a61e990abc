#include "model/stored_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include "model/calibration.h"
#include "model/file_formats.h"
#include "model/foreign/onnx_path.h"
#include "model/network_layout.h"
#include "model/safetensors.h"
#include "model/shallow_json.h"
#include "model/stored_weights.h"

namespace fer {
namespace {

using nlohmann::json;

/// Provenance may nest some.
constexpr int kMaxJsonDepth = 32;
/// Bytes of the description, of which provenance may take most.
constexpr std::size_t kMaxDescription = 1 << 20;
/// Bytes of a name. A label is a word or two.
constexpr std::size_t kMaxName = 64;
/// Beyond these, a calibration turns every answer into a coin or a dogma.
constexpr double kMinTemperature = 0.01, kMaxTemperature = 100, kMaxBias = 100;
/// Fields of the description that do not decide what a model answers.
constexpr const char* kOnlyTold[] = {"version", "parent", "provenance", "thresholds"};

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw std::runtime_error(path.string() + ": " + what);
}

void require_name(const std::filesystem::path& path, const char* what, const std::string& name) {
  const bool printable =
      std::none_of(name.begin(), name.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
  if (name.size() > kMaxName || !printable) {
    refuse(path, std::string(what) + ": expected a name of at most " + std::to_string(kMaxName) +
                     " bytes without control characters, found one of " +
                     std::to_string(name.size()) + " bytes");
  }
}

/// The fields that files of format gst-fer/1 do not have.
void read_calibration(const json& description, ModelInfo& info) {
  if (const auto found = description.find("calibration"); found != description.end()) {
    found->at("temperature").get_to(info.calibration.temperature);
    found->at("bias").get_to(info.calibration.bias);
  }
  info.prior_correction = description.value("prior_correction", 0.0);
  for (const json& point : description.value("operating_points", json::array())) {
    info.operating_points.push_back(point.is_null() ? std::numeric_limits<float>::infinity()
                                                    : point.get<float>());
  }
}

void check_calibration(const std::filesystem::path& path, const ModelInfo& info) {
  const std::size_t classes = info.labels.size();
  const auto& [temperature, bias] = info.calibration;
  const bool bounded = std::all_of(bias.begin(), bias.end(),
                                   [](float b) { return b >= -kMaxBias && b <= kMaxBias; });
  if (!(temperature >= kMinTemperature && temperature <= kMaxTemperature) || !bounded ||
      (!bias.empty() && bias.size() != classes)) {
    refuse(path,
           "calibration: expected a temperature from 0.01 to 100 and no bias, or one from -100 to "
           "100 for each label");
  }
  if (!(info.prior_correction >= 0 && info.prior_correction <= 1))
    refuse(path, "prior_correction: expected a number from 0 to 1");
  const auto& points = info.operating_points;
  const bool shares = std::all_of(points.begin(), points.end(), [](float point) {
    return (point >= 0 && point <= 1) || std::isinf(point);
  });
  if (!shares || (!points.empty() && points.size() != classes))
    refuse(path, "operating_points: expected a number from 0 to 1, or null, for each label");
}

void check(const std::filesystem::path& path, const ModelInfo& info) {
  const auto classes = static_cast<std::size_t>(info.network.classes);
  const bool headless = info.labels.empty() && info.prior.empty();
  if (!headless && (info.labels.size() != classes || info.prior.size() != classes)) {
    refuse(path, "expected " + std::to_string(classes) + " labels and priors, found " +
                     std::to_string(info.labels.size()) + " and " +
                     std::to_string(info.prior.size()));
  }
  std::set<std::string> known;
  for (const std::string& label : info.labels) {
    if (label.empty()) refuse(path, "a label is empty");
    require_name(path, "labels", label);
    if (!known.insert(label).second) refuse(path, "two labels are called \"" + label + "\"");
  }
  require_name(path, "network.name", info.network.name);
  require_name(path, "version", info.version);
  require_name(path, "parent", info.parent);
  bool finite = std::isfinite(info.mean) && std::isfinite(info.stddev) && info.stddev > 0;
  for (float p : info.prior) finite = finite && std::isfinite(p) && p > 0;
  if (!finite) refuse(path, "mean, std and prior must be finite, std and prior positive");
  if (info.align_template != "fer" && info.align_template != "arcface") {
    refuse(path,
           "align_template \"" + info.align_template + "\" is not known; expected fer or arcface");
  }
  check_calibration(path, info);
}

/// The short name of a model: see ModelInfo::version.
std::string version_from(json description, const std::map<std::string, TensorView>& tensors) {
  for (const char* field : kOnlyTold) description.erase(field);
  return content_hash(description.dump(), tensors).substr(0, 12);
}

/// What the file says the version is must be what its content is. Files of format gst-fer/1 without
/// a checksum may come from programs that know nothing of versions: theirs is computed.
void settle_version(const SafetensorsFile& file, const json& description, ModelInfo& info) {
  const bool first = file.metadata().at("format") != kModelFormat;
  const std::string found = first ? content_hash(file.tensors()).substr(0, 12)
                                  : version_from(description, file.tensors());
  if (first && !file.metadata().contains(kChecksumKey)) info.version = found;
  if (info.version == found) return;
  refuse(file.path(),
         "expected version " + found + ", which its content has, found \"" + info.version + "\"");
}

ModelInfo info_of(const SafetensorsFile& file) {
  const std::filesystem::path& path = file.path();
  if (!has_format(file, kModelFormat)) {
    refuse(path, std::string("expected a model file (format ") + kModelFormat + "), found " +
                     content_of(file));
  }
  require_unchanged(file);
  const std::string& text = file.meta("model");
  if (text.size() > kMaxDescription) {
    refuse(path, "its metadata \"model\" has " + std::to_string(text.size()) +
                     " bytes, expected at most " + std::to_string(kMaxDescription));
  }
  ModelInfo info;
  json model;
  try {
    model = parse_shallow_json(text, kMaxJsonDepth);
    if (!model.is_object()) throw std::runtime_error("its metadata \"model\" is not a JSON object");
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
    read_calibration(model, info);
  } catch (const json::exception& error) {
    refuse(path, std::string("its metadata is broken: ") + error.what());
  } catch (const std::runtime_error& error) {
    refuse(path, error.what());
  }
  check(path, info);
  settle_version(file, model, info);
  return info;
}

/// The description as it is written, but for the version.
json description_of(const ModelInfo& info) {
  json text{{"network", info.network},
            {"labels", info.labels},
            {"mean", info.mean},
            {"std", info.stddev},
            {"align_template", info.align_template},
            {"prior", info.prior},
            {"mirror", info.mirror},
            {"parent", info.parent},
            {"provenance", info.provenance},
            {"thresholds", info.thresholds}};
  if (!info.calibration.is_identity()) {
    text["calibration"] = {{"temperature", info.calibration.temperature},
                           {"bias", info.calibration.bias}};
  }
  if (info.prior_correction != 0) text["prior_correction"] = info.prior_correction;
  for (const float point : info.operating_points)
    text["operating_points"].push_back(std::isinf(point) ? json() : json(point));
  return text;
}

}  // namespace

ModelInfo read_model_info(const std::filesystem::path& path) {
  refuse_onnx(path);
  return info_of(SafetensorsFile(path, FileAccess::kRead));
}

StoredModel read_stored_model(const std::filesystem::path& path) {
  StoredModel model = read_stored_start(path);
  if (model.info.labels.empty()) {
    throw std::runtime_error(path.string() +
                             ": expected a model that names expressions, found a start for "
                             "training without a head; make a model of it by: fer train --init");
  }
  return model;
}

StoredModel read_stored_start(const std::filesystem::path& path) {
  refuse_onnx(path);
  const SafetensorsFile file(path, FileAccess::kRead);
  StoredModel model{info_of(file), {}};
  auto layout = network_layout(model.info.network);
  if (model.info.labels.empty())
    std::erase_if(layout, [](const auto& item) { return is_of_head(item.first); });
  model.weights = read_weights(file, layout);
  return model;
}

void write_stored_model(const std::filesystem::path& path, StoredModel& model, bool bf16) {
  const StoredWeights stored(model.weights, bf16);
  json description = description_of(model.info);
  description["version"] = model.info.version = version_from(description, stored.views());
  write_safetensors(
      path, stored.views(),
      with_checksum({{"format", kModelFormat}, {"model", description.dump()}}, stored.views()));
}

std::string version_of(const StoredModel& model) {
  const StoredWeights stored(model.weights, /*bf16=*/false);
  return version_from(description_of(model.info), stored.views());
}

}  // namespace fer
