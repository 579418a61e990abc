#include "learn/training_run.h"

#include <algorithm>
#include <map>
#include <span>

#include "learn/autocast.h"
#include "model/model_file.h"

namespace fer {
namespace {

using nlohmann::json;

/// The network first: its weights follow from the seed.
std::pair<Network, Network> two_networks(const ModelInfo& info,
                                         const TrainingRun::Settings& settings) {
  torch::manual_seed(settings.seed);
  Network network(info.network);
  if (settings.init) settings.init.copy_to(*network, info.labels);
  return {network, Network(info.network)};
}

}  // namespace

Confusion confusion_of(Network& network, const PackedDataset& data, const LabelledRows& labelled,
                       const std::vector<std::string>& names, PixelStats stats, bool bf16) {
  torch::NoGradGuard no_grad;
  Bf16Scope scope(bf16);
  Confusion confusion(names);
  constexpr std::size_t kChunk = 256;
  const std::span<const std::size_t> rows(labelled.rows);
  for (std::size_t i = 0; i < rows.size(); i += kChunk) {
    const auto part = rows.subspan(i, std::min(kChunk, rows.size() - i));
    const torch::Tensor predicted = network(plain_images(data, part, stats)).argmax(1);
    const auto prediction = predicted.accessor<std::int64_t, 1>();
    for (std::size_t j = 0; j < part.size(); ++j)
      confusion.add(labelled.labels[i + j],
                    static_cast<int>(prediction[static_cast<std::int64_t>(j)]));
  }
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
    : ModuleRun(networks.first.ptr(), networks.second.ptr(), settings.ema, std::move(out)),
      network(networks.first),
      average(networks.second),
      info_(info),
      sgd_(*network, settings.momentum, settings.weight_decay) {
  if (settings.init) info_.parent = settings.init.version();
}

void TrainingRun::resume(const json& identity) {
  Tensors kept;
  for (const auto& [name, tensor] : sgd_.velocity) kept["velocity." + name] = tensor;
  ModuleRun::resume(identity, kept);
}

void TrainingRun::step(double learning_rate) {
  sgd_.step(learning_rate);
  ModuleRun::step();
}

void TrainingRun::finish_epoch(json& entry, const char* score, const json& provenance,
                               const json& thresholds) {
  const auto save = [&](const std::filesystem::path& path, const json& kept) {
    ModelFile model;
    model.info = info_;
    model.info.provenance = provenance;
    json valid = kept;
    // Of use beside the curves of a log, not to who serves the model.
    valid.erase("confusion");
    valid.erase("labels");
    model.info.provenance["valid"] = std::move(valid);
    model.info.thresholds = thresholds;
    model.weights = state_of(*average);
    write_model(path, model);
  };
  ModuleRun::finish_epoch(entry, score, save);
}

}  // namespace fer
