#include "network/torch_weights.h"

#include "model/stored_model.h"
#include "network/model_file.h"
#include "network/torch_threads.h"

namespace fer {

FloatTensors to_plain(const std::map<std::string, torch::Tensor>& tensors) {
  const OneTorchThread one_thread;  // a model may be exchanged while streams run
  FloatTensors plain;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.is_floating_point()) continue;
    const torch::Tensor wanted = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
    const float* data = wanted.data_ptr<float>();
    plain[name] = {wanted.sizes().vec(), {data, data + wanted.numel()}};
  }
  return plain;
}

std::map<std::string, torch::Tensor> to_torch(const FloatTensors& tensors) {
  const OneTorchThread one_thread;
  std::map<std::string, torch::Tensor> made;
  for (const auto& [name, tensor] : tensors) {
    made[name] =
        torch::from_blob(const_cast<float*>(tensor.values.data()), tensor.shape, torch::kFloat32)
            .clone();
  }
  return made;
}

StoredModel to_stored(const ModelFile& model) {
  return {model.info, to_plain(model.weights)};
}

}  // namespace fer
