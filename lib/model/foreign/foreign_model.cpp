#include "model/foreign/foreign_model.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <system_error>

#include "model/foreign/network_trial.h"
#include "model/foreign/onnx_path.h"
#include "util/read_file.h"
#include "util/sha256.h"
#include "vision/onnx_checksum.h"
#include "vision/sum_file.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

/// Bytes of a description.
constexpr std::uintmax_t kMaxDescriptionFile = 1 << 20;
/// Bytes of a network's name in messages.
constexpr std::size_t kMaxNetworkName = 64;
/// How far a sum may be from 1: of what must be probabilities, and of what may be.
constexpr float kExact = 1e-4f, kRough = 0.02f;

std::string tensor_text(const OnnxTensor& tensor) {
  return "\"" + tensor.name + "\" (" + shape_text(tensor.shape) + ")";
}

/// For who has yet to write a description: what it is to be of.
std::string ends_of(const OnnxHeader& header) {
  std::string text;
  for (const OnnxTensor& input : header.inputs)
    text += (text.empty() ? "its input is " : ", ") + tensor_text(input);
  bool first = true;
  for (const OnnxTensor& output : header.outputs) {
    text += (first ? ", its output " : ", ") + tensor_text(output);
    first = false;
  }
  return text;
}

OnnxHeader read_header(const fs::path& onnx, const std::string& bytes) {
  if (check_onnx(bytes) == OnnxChecksum::kWrong) {
    throw std::runtime_error(onnx.string() +
                             ": expected an ONNX network as it was written, found other content: "
                             "its checksum differs");
  }
  if (const std::string fault = fault_by_sum(onnx, sha256(bytes)); !fault.empty())
    throw std::runtime_error(onnx.string() + ": expected the network that its owner means, found " +
                             fault);
  OnnxHeader header;
  try {
    header = read_onnx_header(bytes);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(onnx.string() + ": expected an ONNX network, found " + error.what());
  }
  if (header.external_data) {
    throw std::runtime_error(onnx.string() +
                             ": expected a network in one file, found weights that lie in others");
  }
  return header;
}

std::string read_description_text(const fs::path& onnx, const OnnxHeader& header) {
  const fs::path path = onnx_description_path(onnx);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw std::runtime_error(
        onnx.string() + ": expected its description beside it, " + path.filename().string() +
        " (docs/how-to/use-your-own-network.md), found none; " + ends_of(header));
  }
  return read_file(path, kMaxDescriptionFile);
}

bool is_distribution(const std::vector<float>& row, float tolerance) {
  float sum = 0;
  for (const float value : row) {
    if (!(value >= -tolerance && value <= 1 + tolerance)) return false;
    sum += value;
  }
  return std::abs(sum - 1) <= tolerance;
}

std::string row_text(const std::vector<float>& row) {
  std::string text;
  for (const float value : row) {
    char number[32];
    std::snprintf(number, sizeof number, "%.3g", static_cast<double>(value));
    text += (text.empty() ? "" : ", ") + std::string(number);
  }
  return text;
}

/// Compares what the network said of made-up faces with what the description says of its outputs.
void check_outputs(const ForeignModel& model, const fs::path& onnx,
                   const std::vector<std::vector<float>>& faces) {
  const NetworkDescription& described = model.description;
  const std::string file = onnx_description_path(onnx).string() + ": " +
                           (described.model_proc ? "output_postproc[0]." : "");
  const std::string output = "output \"" + model.plan.output + "\" of " + onnx.string();
  for (const std::vector<float>& row : faces) {
    if (row.size() != described.labels.size()) {
      throw std::runtime_error(file + "labels: expected " + std::to_string(row.size()) +
                               ", as many as " + output + " has values, found " +
                               std::to_string(described.labels.size()));
    }
    if (!std::all_of(row.begin(), row.end(), [](float value) { return std::isfinite(value); })) {
      throw std::runtime_error(onnx.string() + ": expected finite numbers, found " + row_text(row) +
                               " in " + output);
    }
  }
  // Probabilities that go through a softmax again come out nearly even; logits that do not come
  // out as nonsense.
  const bool logits = described.type == OutputType::kLogits;
  const std::string key = described.model_proc ? "method: expected " : "output.type: expected ";
  if (logits && std::all_of(faces.begin(), faces.end(),
                            [](const auto& row) { return is_distribution(row, kExact); })) {
    throw std::runtime_error(file + key + (described.model_proc ? "\"max\"" : "\"probabilities\"") +
                             ", since the values of " + output + " add up to 1 (" +
                             row_text(faces[0]) + "), found " +
                             (described.model_proc ? "\"softmax\"" : "\"logits\""));
  }
  for (const std::vector<float>& row : faces) {
    if (logits || is_distribution(row, kRough)) continue;
    throw std::runtime_error(file + key + (described.model_proc ? "\"softmax\"" : "\"logits\"") +
                             ", since the values of " + output + " are no probabilities (" +
                             row_text(row) + "), found " +
                             (described.model_proc ? "\"max\"" : "\"probabilities\""));
  }
}

ModelInfo foreign_info(const ForeignModel& model, const fs::path& onnx, const std::string& text) {
  const NetworkDescription& described = model.description;
  ModelInfo info;
  for (const auto& label : described.labels) {
    if (label) info.labels.push_back(*label);
  }
  info.network.name = onnx.stem().string().substr(0, kMaxNetworkName);
  info.network.input_size = model.plan.side;
  info.network.channels = model.plan.channels;
  info.network.classes = static_cast<int>(info.labels.size());
  info.align_template = described.align_template;
  // What fer export writes says how its crops lie.
  const auto aligned = model.header.metadata.find("align_template");
  if (!described.align_told && aligned != model.header.metadata.end() &&
      (aligned->second == "fer" || aligned->second == "arcface")) {
    info.align_template = aligned->second;
  }
  info.mirror = described.mirror;
  info.calibration = described.calibration;
  info.prior_correction = described.prior_correction;
  info.operating_points = described.operating_points;
  info.prior = described.prior;
  if (info.prior.empty())
    info.prior.assign(info.labels.size(), 1.f / static_cast<float>(info.labels.size()));
  info.version = foreign_version(model.bytes, text);
  return info;
}

}  // namespace

std::string foreign_version(const std::string& onnx, const std::string& description) {
  return sha256(sha256(onnx) + sha256(description)).substr(0, 12);
}

ForeignModel read_foreign_model(const fs::path& onnx) {
  ForeignModel model;
  model.bytes = read_file(onnx, kMaxOnnxFile);
  model.header = read_header(onnx, model.bytes);
  const std::string text = read_description_text(onnx, model.header);
  model.description = parse_description(onnx_description_path(onnx), text);
  model.plan = plan_network(model.description, model.header, onnx);
  std::vector<std::vector<float>> faces;
  try {
    faces = try_network(model.bytes, model.plan);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(onnx.string() + ": expected a network that takes " +
                             shape_text(model.plan.input_shape(1)) + ", found " + error.what());
  }
  check_outputs(model, onnx, faces);
  model.info = foreign_info(model, onnx, text);
  return model;
}

}  // namespace fer
