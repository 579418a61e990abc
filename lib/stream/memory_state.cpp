#include "stream/memory_state.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fer {
namespace {

using nlohmann::json;

/// TrackletConfig::keep is at most this.
constexpr std::size_t kMaxCrops = 16;

json to_json(const SampleMemory::Item& item) {
  const Evidence& e = item.evidence;
  return {{"id", item.id},
          {"added_s", item.added_s},
          {"source", e.source},
          {"track", e.track},
          {"begun", e.begun_ns},
          {"frames", e.frames},
          {"mean", e.mean},
          {"label", e.label},
          {"majority", e.majority},
          {"flip_rate", e.flip_rate},
          {"crops", e.crops.size()},
          {"latent", !e.latents.bytes.empty()},
          {"latent_scale", e.latents.scale},
          {"features", !e.latents.features.empty()}};
}

/// With room for its crops and latents, which are not filled in.
SampleMemory::Item item_of(const json& j, const FaceShape& shape) {
  SampleMemory::Item item;
  j.at("id").get_to(item.id);
  item.added_s = j.value("added_s", std::int64_t{0});
  Evidence& e = item.evidence;
  j.at("source").get_to(e.source);
  j.at("track").get_to(e.track);
  j.at("begun").get_to(e.begun_ns);
  j.at("frames").get_to(e.frames);
  j.at("mean").get_to(e.mean);
  j.at("label").get_to(e.label);
  j.at("majority").get_to(e.majority);
  j.at("flip_rate").get_to(e.flip_rate);
  e.crops.resize(j.at("crops").get<std::size_t>());
  if (j.value("latent", false)) e.latents.bytes.resize(shape.latent);
  e.latents.scale = j.value("latent_scale", 0.f);
  if (j.value("features", false)) e.latents.features.resize(shape.features);
  return item;
}

template <typename Value>
torch::Tensor tensor_of(const std::vector<Value>& values, torch::ScalarType type) {
  torch::Tensor tensor = torch::empty({static_cast<std::int64_t>(values.size())}, type);
  if (!values.empty()) std::memcpy(tensor.data_ptr(), values.data(), values.size() * sizeof(Value));
  return tensor;
}

/// Hands out a kept tensor piece by piece.
template <typename Value>
class Pieces {
 public:
  /// `needed`: a checkpoint without the tensor is broken; else it has no pieces.
  Pieces(const Checkpoint& kept, const std::string& name, torch::ScalarType type, bool needed)
      : name_(name) {
    const auto it = kept.tensors.find(name);
    if (it == kept.tensors.end() && !needed) return;
    if (it == kept.tensors.end() || it->second.scalar_type() != type)
      throw std::runtime_error("the learner's state has no tensor \"" + name + "\"");
    tensor_ = it->second.contiguous();
    left_ = static_cast<std::size_t>(tensor_.numel());
  }

  void fill(std::vector<Value>& piece) {
    if (piece.size() > left_) {
      throw std::runtime_error("the learner's state has a tensor \"" + name_ +
                               "\" that is shorter than it says");
    }
    const Value* from =
        tensor_.data_ptr<Value>() + tensor_.numel() - static_cast<std::int64_t>(left_);
    std::copy(from, from + piece.size(), piece.begin());
    left_ -= piece.size();
  }

 private:
  const std::string name_;
  torch::Tensor tensor_ = torch::empty({0}, c10::CppTypeToScalarType<Value>::value);
  std::size_t left_ = 0;
};

template <typename Value>
void append(std::vector<Value>& all, const std::vector<Value>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

void keep_memory(const SampleMemory& memory, SampleStore store, Checkpoint& kept) {
  std::vector<std::uint8_t> crops, latents;
  std::vector<float> features;
  json items = json::array();
  for (SampleMemory::Item item : memory.items()) {
    Evidence& e = item.evidence;
    if (store == SampleStore::kLatents) e.crops.clear();
    if (store == SampleStore::kCrops) e.latents.bytes.clear();
    const bool any_face = !(e.crops.empty() && e.latents.bytes.empty());
    if (store == SampleStore::kNothing || !any_face) continue;
    items.push_back(to_json(item));
    for (const auto& crop : e.crops) append(crops, crop);
    append(latents, e.latents.bytes);
    append(features, e.latents.features);
  }
  kept.tensors["memory"] = tensor_of(crops, torch::kU8);
  kept.tensors["memory.latents"] = tensor_of(latents, torch::kU8);
  kept.tensors["memory.features"] = tensor_of(features, torch::kFloat);
  kept.state["items"] = std::move(items);
  kept.state["added"] = memory.added();
}

void restore_memory(const Checkpoint& kept, const FaceShape& shape, SampleMemory& memory) {
  Pieces<std::uint8_t> crops(kept, "memory", torch::kU8, /*needed=*/true);
  Pieces<std::uint8_t> latents(kept, "memory.latents", torch::kU8, /*needed=*/false);
  Pieces<float> features(kept, "memory.features", torch::kFloat, /*needed=*/false);
  std::vector<SampleMemory::Item> items;
  for (const json& j : kept.state.at("items")) {
    // A count that no memory can hold must not be allocated.
    if (j.at("crops").get<std::size_t>() > kMaxCrops)
      throw std::runtime_error("the learner's state has more crops of a face than are ever kept");
    items.push_back(item_of(j, shape));
    Evidence& e = items.back().evidence;
    for (auto& crop : e.crops) {
      crop.resize(shape.crop);
      crops.fill(crop);
    }
    latents.fill(e.latents.bytes);
    features.fill(e.latents.features);
  }
  memory.restore(std::move(items), kept.state.at("added"));
}

}  // namespace fer
