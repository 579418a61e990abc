// What supervised and semi-supervised training of expression models share: a run whose network is
// an expression model, and how well that does.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "learn/data/batches.h"
#include "learn/evaluation/metrics.h"
#include "learn/optim/sgd.h"
#include "learn/run/initial_weights.h"
#include "learn/run/module_run.h"
#include "model/model_info.h"
#include "model/network.h"

namespace fer {

/// Rows of a dataset and what they are, as indices into a model's labels.
struct LabelledRows {
  std::vector<std::size_t> rows;
  std::vector<int> labels;
};

/// The network's predictions of unchanged views of rows against their labels, which `names` names.
/// The processes of `group` share the rows, and all get the whole.
Confusion confusion_of(Network& network, const PackedDataset& data, const LabelledRows& labelled,
                       const std::vector<std::string>& names, PixelStats stats, bool bf16,
                       ProcessGroup* group = nullptr);

/// "accuracy", "macro_recall", "recall", "confusion" and "labels" of a log line.
void write_validation(nlohmann::json& entry, const Confusion& confusion);

class TrainingRun : public ModuleRun {
 public:
  struct Settings {
    double momentum = 0.9, weight_decay = 5e-4;
    double ema = 0.999;      ///< Decay of the averaged weights, a step.
    double layer_decay = 1;  ///< See TrainConfig.
    std::uint64_t seed = 1;
    InitialWeights init;  ///< What the weights are at first.
    torch::Device device = torch::kCPU;
    ProcessGroup* group = nullptr;  ///< The processes that train together; nullptr: this one.
  };

  /// `info`: what the model files say, its network among it. Makes the network from the seed or
  /// `init`, and the folder. Throws std::runtime_error where `init` does not fit the network.
  TrainingRun(const ModelInfo& info, const Settings& settings, std::filesystem::path out);

  /// Goes on from the folder's checkpoint, where there is one. `identity` is what must agree
  /// between the two runs. Throws std::runtime_error with the difference where it does not.
  void resume(const nlohmann::json& identity);

  /// A step along the gradients, averaged over the processes, and of the average towards the
  /// network.
  void step(double learning_rate);

  /// The network is shown this process's part of each batch in training: of each of `parts` rows of
  /// the whole batch, one after the other, the process's part. Nothing to do for one process.
  void enable_sync_bn(const std::vector<int>& parts);

  /// Writes the average to a model file. Its provenance is `provenance` and, as "valid", `entry`,
  /// the epoch's log entry; `thresholds` is the policy's state, null where there is none.
  void save(const std::filesystem::path& path, const nlohmann::json& entry,
            nlohmann::json provenance, const nlohmann::json& thresholds = {}) const;

  Network network, average;

 private:
  /// Of a network and what will be its average.
  TrainingRun(const ModelInfo& info, const Settings& settings, std::filesystem::path out,
              std::pair<Network, Network> networks);

  ModelInfo info_;
  ProcessGroup* const group_;
  Sgd sgd_;
};

}  // namespace fer
