#include "model/model_file.h"

#include <cmath>
#include <cstdio>
#include <stdexcept>

#include "model/network.h"
#include "model/safetensors.h"
#include "model/tensor_view.h"

namespace fer {
namespace {

using nlohmann::json;

constexpr char kFormat[] = "gst-fer/1";

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
    const json model = json::parse(file.meta("model"));
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
  bool finite = std::isfinite(info.mean) && std::isfinite(info.stddev) && info.stddev > 0;
  for (float p : info.prior) finite = finite && std::isfinite(p) && p > 0;
  if (!finite)
    throw std::runtime_error(file.path().string() + ": mean, std and prior must be finite, std and prior positive");
  if (info.align_template != "fer" && info.align_template != "arcface")
    throw std::runtime_error(file.path().string() + ": align_template \"" + info.align_template +
                             "\" is not known; expected fer or arcface");
  return info;
}

/// 64-bit FNV-1a over the weights, as 12 hex digits: a name, not a protection.
std::string content_version(const std::map<std::string, torch::Tensor>& weights) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const auto& [name, tensor] : weights) {
    const TensorView view = view_of(tensor);
    for (const auto& [data, size] :
         {std::pair{static_cast<const void*>(name.data()), name.size()}, {view.data, view.bytes}}) {
      const auto* bytes = static_cast<const unsigned char*>(data);
      for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return std::string(text, 12);
}

}  // namespace

ModelInfo read_model_info(const std::filesystem::path& path) {
  return info_of(SafetensorsFile(path));
}

ModelFile read_model(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  ModelFile model{info_of(file), {}};
  // The network that the config describes says which tensors there must be, and of what shape.
  Network network(model.info.network);
  auto take = [&](const std::string& name, const torch::Tensor& like) {
    const auto it = file.tensors().find(name);
    if (it == file.tensors().end())
      throw std::runtime_error(path.string() + ": expected a tensor \"" + name + "\", found none");
    if (it->second.shape != like.sizes().vec() || it->second.dtype == DType::kU8)
      throw std::runtime_error(path.string() + ": tensor \"" + name +
                               "\" has another shape or type than its network config says");
    const torch::Tensor tensor = tensor_of(it->second);
    model.weights[name] = tensor.is_floating_point() ? tensor.to(torch::kFloat32, false, /*copy=*/true)
                                                     : tensor.clone();
    if (tensor.is_floating_point() && !model.weights[name].isfinite().all().item<bool>())
      throw std::runtime_error(path.string() + ": tensor \"" + name + "\" holds NaN or infinity");
  };
  for (const auto& item : network->named_parameters()) take(item.key(), item.value());
  for (const auto& item : network->named_buffers())
    if (item.value().is_floating_point()) take(item.key(), item.value());
  return model;
}

void write_model(const std::filesystem::path& path, ModelFile& model, bool bf16) {
  std::map<std::string, torch::Tensor> stored;
  for (const auto& [name, tensor] : model.weights) {
    if (!tensor.is_floating_point()) continue;  // batch norm's step counters serve nobody
    // Statistics and biases are small, and matter: only kernels are shortened.
    const bool shorten = bf16 && tensor.dim() > 1;
    stored[name] = tensor.detach().to(torch::kCPU, shorten ? torch::kBFloat16 : torch::kFloat32).contiguous();
  }
  model.info.version = content_version(stored);
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : stored) views[name] = view_of(tensor);
  const ModelInfo& info = model.info;
  const json text{{"network", info.network}, {"labels", info.labels},
                  {"mean", info.mean},       {"std", info.stddev},
                  {"align_template", info.align_template},
                  {"prior", info.prior},     {"version", info.version},
                  {"parent", info.parent},   {"provenance", info.provenance},
                  {"thresholds", info.thresholds}};
  write_safetensors(path, views, {{"format", kFormat}, {"model", text.dump()}});
}

}  // namespace fer
