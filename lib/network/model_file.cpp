#include "network/model_file.h"

#include <algorithm>
#include <span>
#include <utility>

#include "model/calibration.h"
#include "model/safetensors.h"
#include "model/stored_model.h"
#include "network/torch_weights.h"

namespace fer {

ModelFile read_model(const std::filesystem::path& path) {
  StoredModel stored = read_stored_model(path);
  return {std::move(stored.info), to_torch(stored.weights)};
}

ModelFile read_start(const std::filesystem::path& path) {
  StoredModel stored = read_stored_start(path);
  return {std::move(stored.info), to_torch(stored.weights)};
}

void write_model(const std::filesystem::path& path, ModelFile& model, bool bf16) {
  StoredModel stored = to_stored(model);
  write_stored_model(path, stored, bf16);
  model.info.version = stored.info.version;
}

std::string version_of(const ModelFile& model) {
  return version_of(to_stored(model));
}

bool is_stored_in_bf16(const std::filesystem::path& path) {
  const SafetensorsFile file(path, FileAccess::kRead);
  return std::any_of(file.tensors().begin(), file.tensors().end(),
                     [](const auto& tensor) { return tensor.second.dtype == DType::kBF16; });
}

ModelFile with_calibration_in_head(const ModelFile& model) {
  ModelFile result = model;
  if (model.info.calibration.is_identity()) return result;
  const auto values = [&](const char* name) {
    torch::Tensor& tensor = result.weights.at(name);
    tensor = tensor.detach().to(torch::kCPU, torch::kFloat32, /*non_blocking=*/false,
                                /*copy=*/true, at::MemoryFormat::Contiguous);
    return std::span(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel()));
  };
  fold_calibration(model.info.calibration, values("head.weight"), values("head.bias"));
  result.info.calibration = {};
  return result;
}

}  // namespace fer
