#include "learn/run/checkpoint.h"

#include <stdexcept>

#include "model/checksum.h"
#include "model/safetensors.h"
#include "network/tensor_view.h"

namespace fer {
namespace {

/// A checksum of the tensors and the state.
std::string checksum_of(std::map<std::string, TensorView> views, const std::string& state) {
  // No tensor is called so.
  views[""] = {DType::kU8, {static_cast<std::int64_t>(state.size())}, state.data(), state.size()};
  return content_hash(views);
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  std::map<std::string, torch::Tensor> kept;  // contiguous memory must outlive the views
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    kept[name] = tensor.detach().to(torch::kCPU).contiguous();
    views[name] = view_of(kept[name]);
  }
  const std::string state = checkpoint.state.dump();
  write_safetensors(path, views,
                    {{"format", "gst-fer-checkpoint/1"},
                     {"state", state},
                     {kChecksumKey, checksum_of(views, state)}});
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const SafetensorsFile file(path, FileAccess::kRead);
  // Those of earlier versions have none.
  const auto checksum = file.metadata().find(kChecksumKey);
  if (checksum != file.metadata().end() &&
      checksum->second != checksum_of(file.tensors(), file.meta("state"))) {
    throw std::runtime_error(path.string() +
                             ": its content is not what was written: the checksum differs");
  }
  Checkpoint checkpoint;
  checkpoint.state = nlohmann::json::parse(file.meta("state"), nullptr, false);
  if (checkpoint.state.is_discarded())
    throw std::runtime_error(path.string() + ": expected a checkpoint; its state is not JSON");
  for (const auto& [name, view] : file.tensors())
    checkpoint.tensors[name] = tensor_of(view).clone();
  return checkpoint;
}

}  // namespace fer
