#include "learn/checkpoint.h"

#include <stdexcept>

#include "model/safetensors.h"
#include "model/tensor_view.h"

namespace fer {

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  std::map<std::string, torch::Tensor> kept;  // contiguous memory must outlive the views
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    kept[name] = tensor.detach().to(torch::kCPU).contiguous();
    views[name] = view_of(kept[name]);
  }
  write_safetensors(path, views,
                    {{"format", "gst-fer-checkpoint/1"}, {"state", checkpoint.state.dump()}});
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  Checkpoint checkpoint;
  checkpoint.state = nlohmann::json::parse(file.meta("state"), nullptr, false);
  if (checkpoint.state.is_discarded())
    throw std::runtime_error(path.string() + ": expected a checkpoint; its state is not JSON");
  for (const auto& [name, view] : file.tensors())
    checkpoint.tensors[name] = tensor_of(view).clone();
  return checkpoint;
}

}  // namespace fer
