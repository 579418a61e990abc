#include "learn/run/training_run.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "learn/device/autocast.h"
#include "learn/distributed/batch_part.h"
#include "network/model_file.h"
#include "network/torch_seed.h"

namespace fer {
namespace {

using nlohmann::json;

/// The network first: its weights follow from the seed.
std::pair<Network, Network> two_networks(const ModelInfo& info,
                                         const TrainingRun::Settings& settings) {
  seed_torch(settings.seed);
  Network network(info.network);
  if (settings.init && settings.trunk_blocks > 0)
    settings.init.copy_trunk_to(*network, settings.trunk_blocks);
  else if (settings.init)
    settings.init.copy_to(*network, info.labels);
  std::pair<Network, Network> networks{network, Network(info.network)};
  networks.first->to(settings.device);
  networks.second->to(settings.device);
  return networks;
}

}  // namespace

Confusion confusion_of(Network& network, const PackedDataset& data, const LabelledRows& labelled,
                       const std::vector<std::string>& names, PixelStats stats, bool bf16,
                       ProcessGroup* group) {
  torch::NoGradGuard no_grad;
  const torch::Device device = network->head->weight.device();
  Bf16Scope scope(bf16, device);
  const auto classes = static_cast<std::int64_t>(names.size());
  torch::Tensor counts = torch::zeros({classes, classes}, torch::kLong);
  auto count = counts.accessor<std::int64_t, 2>();
  const std::size_t chunk = device.is_cpu() ? 256 : 2048;
  const std::span<const std::size_t> rows(labelled.rows);
  const auto begin_of = [&](int rank) {
    return rows.size() * static_cast<std::size_t>(rank) /
           static_cast<std::size_t>(group ? group->size() : 1);
  };
  const int rank = group ? group->rank() : 0;
  const std::size_t end = begin_of(rank + 1);
  for (std::size_t i = begin_of(rank); i < end; i += chunk) {
    const auto part = rows.subspan(i, std::min(chunk, end - i));
    const torch::Tensor images = plain_images(data, part, stats).to(device);
    const torch::Tensor predicted = network(images).argmax(1).to(torch::kCPU);
    const auto prediction = predicted.accessor<std::int64_t, 1>();
    for (std::size_t j = 0; j < part.size(); ++j)
      ++count[labelled.labels[i + j]][prediction[static_cast<std::int64_t>(j)]];
  }
  if (group) group->sum(counts);
  Confusion confusion(names);
  for (std::int64_t label = 0; label < classes; ++label)
    for (std::int64_t prediction = 0; prediction < classes; ++prediction)
      confusion.add(static_cast<int>(label), static_cast<int>(prediction),
                    count[label][prediction]);
  return confusion;
}

void write_validation(json& entry, const Confusion& confusion) {
  const json all = confusion.to_json();
  for (const char* key : {"accuracy", "macro_recall", "recall", "confusion", "labels"})
    entry[key] = all[key];
}

TrainingRun::TrainingRun(const ModelInfo& info, const Settings& settings, std::filesystem::path out)
    : TrainingRun(info, settings, std::move(out), two_networks(info, settings)) {}

TrainingRun::TrainingRun(const ModelInfo& info, const Settings& settings, std::filesystem::path out,
                         std::pair<Network, Network> networks)
    : ModuleRun(networks.first.ptr(), networks.second.ptr(), settings.ema, std::move(out),
                settings.group),
      network(networks.first),
      average(networks.second),
      info_(info),
      group_(settings.group),
      sgd_(*network, settings.momentum, settings.weight_decay,
           [this, decay = settings.layer_decay](const std::string& parameter) {
             return std::pow(decay, static_cast<double>(network->depth_below_head(parameter)));
           }) {
  if (settings.init) info_.parent = settings.init.version();
}

void TrainingRun::resume(const json& identity) {
  Tensors kept;
  for (const auto& [name, tensor] : sgd_.velocity) kept["velocity." + name] = tensor;
  ModuleRun::resume(identity, kept);
}

void TrainingRun::step(double learning_rate) {
  if (group_) {
    std::vector<torch::Tensor> gradients;
    for (const torch::Tensor& parameter : network->parameters())
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    group_->average(gradients);
  }
  sgd_.step(learning_rate);
  ModuleRun::step();
}

void TrainingRun::enable_sync_bn(const std::vector<int>& parts) {
  if (!group_) return;
  auto shard = c10::make_intrusive<BatchShard>();
  std::vector<torch::Tensor> rows;
  for (const int count : parts) {
    const torch::Tensor all = torch::arange(shard->size, shard->size + count, torch::kLong);
    rows.push_back(group_->part(count).of(all));
    shard->size += count;
  }
  shard->rows = torch::cat(rows).to(network->device());
  shard->sum = [group = group_](torch::Tensor& tensor) { group->sum(tensor); };
  network->enable_sync_bn(shard);
}

void TrainingRun::save(const std::filesystem::path& path, const json& entry, json provenance,
                       const json& thresholds) const {
  ModelFile model;
  model.info = info_;
  json valid = entry;
  // The log keeps these for its curves; model files do without.
  valid.erase("confusion");
  valid.erase("labels");
  provenance["valid"] = std::move(valid);
  model.info.provenance = std::move(provenance);
  model.info.thresholds = thresholds;
  model.weights = state_in_memory(*average);
  write_model(path, model);
}

}  // namespace fer
