#include "model/model_file.h"

#include <cmath>
#include <cstdio>
#include <stdexcept>

#include "model/network_layout.h"
#include "model/safetensors.h"
#include "model/shallow_json.h"
#include "model/tensor_view.h"
#include "model/torch_threads.h"

namespace fer {
namespace {

using nlohmann::json;

constexpr char kFormat[] = "gst-fer/1";
constexpr char kChecksum[] = "checksum";
constexpr std::size_t kVersionDigits = 12;
/// Provenance may nest some.
constexpr int kMaxDepth = 32;

ModelInfo info_of(const SafetensorsFile& file) {
  const auto& metadata = file.metadata();
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != kFormat) {
    throw std::runtime_error(file.path().string() + ": expected a model file (format " + kFormat +
                             "), found a safetensors file " +
                             (format == metadata.end() ? std::string("without a format")
                                                       : "of format \"" + format->second + "\""));
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
  if (info.labels.size() != classes || info.prior.size() != classes) {
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

/// 64-bit FNV-1a over names and weights, as hex digits: against accidents, not against forgers.
std::string content_hash(const std::map<std::string, TensorView>& tensors) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const auto& [name, view] : tensors) {
    for (const auto& [data, size] :
         {std::pair{static_cast<const void*>(name.data()), name.size()}, {view.data, view.bytes}}) {
      const auto* bytes = static_cast<const unsigned char*>(data);
      for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

}  // namespace

ModelInfo read_model_info(const std::filesystem::path& path) {
  return info_of(SafetensorsFile(path, FileAccess::kRead));
}

ModelFile read_model(const std::filesystem::path& path) {
  const SafetensorsFile file(path, FileAccess::kRead);
  const OneTorchThread one_thread;  // a model may be opened while streams run
  ModelFile model{info_of(file), {}};
  const auto refuse = [&](const std::string& what) {
    throw std::runtime_error(path.string() + ": " + what);
  };
  for (const auto& [name, shape] : network_layout(model.info.network)) {
    const std::string where = "tensor \"" + name + "\"";
    const auto it = file.tensors().find(name);
    if (it == file.tensors().end()) refuse("expected a " + where + ", found none");
    const TensorView& view = it->second;
    if (view.shape != shape ||
        (view.dtype != DType::kF32 && view.dtype != DType::kBF16 && view.dtype != DType::kF16)) {
      refuse(where + " has another shape or type than its network config says");
    }
    const torch::Tensor tensor = tensor_of(view).to(torch::kFloat32, false, /*copy=*/true);
    if (!tensor.isfinite().all().item<bool>()) refuse(where + " holds NaN or infinity");
    if (name.ends_with(".running_var") && tensor.lt(0).any().item<bool>()) {
      refuse(where + " holds a negative variance");
    }
    model.weights[name] = tensor;
  }
  // Files that others wrote need not have one.
  const auto checksum = file.metadata().find(kChecksum);
  if (checksum != file.metadata().end() && checksum->second != content_hash(file.tensors())) {
    refuse("its weights are not those that were written: the checksum differs");
  }
  return model;
}

void write_model(const std::filesystem::path& path, ModelFile& model, bool bf16) {
  std::map<std::string, torch::Tensor> stored;
  for (const auto& [name, tensor] : model.weights) {
    if (!tensor.is_floating_point()) continue;  // batch norm's step counters serve nobody
    // Statistics and biases are small, and matter: only kernels are shortened.
    const bool shorten = bf16 && tensor.dim() > 1;
    stored[name] =
        tensor.detach().to(torch::kCPU, shorten ? torch::kBFloat16 : torch::kFloat32).contiguous();
  }
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : stored) views[name] = view_of(tensor);
  const std::string checksum = content_hash(views);
  model.info.version = checksum.substr(0, kVersionDigits);
  const ModelInfo& info = model.info;
  const json text{{"network", info.network},
                  {"labels", info.labels},
                  {"mean", info.mean},
                  {"std", info.stddev},
                  {"align_template", info.align_template},
                  {"prior", info.prior},
                  {"version", info.version},
                  {"parent", info.parent},
                  {"provenance", info.provenance},
                  {"thresholds", info.thresholds}};
  write_safetensors(path, views,
                    {{"format", kFormat}, {"model", text.dump()}, {kChecksum, checksum}});
}

}  // namespace fer
