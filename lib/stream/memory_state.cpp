#include "stream/memory_state.h"

#include <torch/torch.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

namespace fer {
namespace {

using nlohmann::json;

json to_json(const SampleMemory::Item& item) {
  const Evidence& e = item.evidence;
  return {{"id", item.id},          {"source", e.source},     {"track", e.track},
          {"begun", e.begun_ns},    {"frames", e.frames},     {"mean", e.mean},
          {"label", e.label},       {"majority", e.majority}, {"flip_rate", e.flip_rate},
          {"crops", e.crops.size()}};
}

/// With room for its crops, which are not filled in.
SampleMemory::Item item_of(const json& j) {
  SampleMemory::Item item;
  j.at("id").get_to(item.id);
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
  return item;
}

}  // namespace

void keep_memory(const SampleMemory& memory, Checkpoint& kept) {
  std::vector<std::uint8_t> crops;
  json items = json::array();
  for (const auto& item : memory.items()) {
    items.push_back(to_json(item));
    for (const auto& crop : item.evidence.crops)
      crops.insert(crops.end(), crop.begin(), crop.end());
  }
  torch::Tensor pixels = torch::empty({static_cast<std::int64_t>(crops.size())}, torch::kU8);
  if (!crops.empty()) std::memcpy(pixels.data_ptr(), crops.data(), crops.size());
  kept.tensors["memory"] = pixels;
  kept.state["items"] = std::move(items);
  kept.state["added"] = memory.added();
}

void restore_memory(const Checkpoint& kept, std::size_t crop_bytes, SampleMemory& memory) {
  const auto it = kept.tensors.find("memory");
  if (it == kept.tensors.end() || it->second.scalar_type() != torch::kU8)
    throw std::runtime_error("the learner's state has no memory");
  const torch::Tensor pixels = it->second.contiguous();
  const auto* from = pixels.data_ptr<std::uint8_t>();
  auto left = static_cast<std::size_t>(pixels.numel());
  std::vector<SampleMemory::Item> items;
  for (const json& j : kept.state.at("items")) {
    if (j.at("crops").get<std::size_t>() > left / crop_bytes)
      throw std::runtime_error("the learner's state has fewer crops than it says");
    items.push_back(item_of(j));
    for (auto& crop : items.back().evidence.crops) {
      crop.assign(from, from + crop_bytes);
      from += crop_bytes;
      left -= crop_bytes;
    }
  }
  memory.restore(std::move(items), kept.state.at("added"));
}

}  // namespace fer
