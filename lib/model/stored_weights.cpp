#include "model/stored_weights.h"

#include <cstdio>
#include <stdexcept>

#include "model/tensor_view.h"
#include "model/torch_threads.h"

namespace fer {
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

std::map<std::string, torch::Tensor> read_weights(
    const SafetensorsFile& file, const std::map<std::string, std::vector<std::int64_t>>& layout) {
  const OneTorchThread one_thread;  // a model may be opened while streams run
  const auto refuse = [&](const std::string& what) {
    throw std::runtime_error(file.path().string() + ": " + what);
  };
  std::map<std::string, torch::Tensor> weights;
  for (const auto& [name, shape] : layout) {
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
    weights[name] = tensor;
  }
  // Files that others wrote need not have one.
  const auto checksum = file.metadata().find(kChecksumKey);
  if (checksum != file.metadata().end() && checksum->second != content_hash(file.tensors())) {
    refuse("its weights are not those that were written: the checksum differs");
  }
  return weights;
}

StoredWeights::StoredWeights(const std::map<std::string, torch::Tensor>& weights, bool bf16) {
  for (const auto& [name, tensor] : weights) {
    if (!tensor.is_floating_point()) continue;  // batch norm's step counters serve nobody
    // Statistics and biases are small, and matter: only kernels are shortened.
    const bool shorten = bf16 && tensor.dim() > 1;
    tensors_[name] =
        tensor.detach().to(torch::kCPU, shorten ? torch::kBFloat16 : torch::kFloat32).contiguous();
    views_[name] = view_of(tensors_[name]);
  }
}

std::string StoredWeights::checksum() const {
  return content_hash(views_);
}

}  // namespace fer
