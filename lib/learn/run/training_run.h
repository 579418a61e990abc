// What supervised and semi-supervised training of expression models share: the run's state and its
// validation.
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
#include "network/network.h"

namespace fer {

/// Rows of a dataset and their labels, as indices into a model's labels.
struct LabelledRows {
  std::vector<std::size_t> rows;
  std::vector<int> labels;
};

/// Classifies rows without augmentation, and counts predictions against labels; `names` are the
/// classes' names. The processes of `group` divide the rows among them, and all get the result.
Confusion confusion_of(Network& network, const PackedDataset& data, const LabelledRows& labelled,
                       const std::vector<std::string>& names, PixelStats stats, bool bf16,
                       ProcessGroup* group = nullptr);

/// Adds "accuracy", "macro_recall", "recall", "confusion" and "labels" to a log entry.
void write_validation(nlohmann::json& entry, const Confusion& confusion);

class TrainingRun : public ModuleRun {
 public:
  struct Settings {
    double momentum = 0.9, weight_decay = 5e-4;
    double ema = 0.999;      ///< Decay of the averaged weights per step.
    double layer_decay = 1;  ///< See TrainConfig.
    std::uint64_t seed = 1;
    InitialWeights init;  ///< What the weights are at first.
    /// Above 0: the stem and so many residual blocks alone come from `init`, the rest from the
    /// seed.
    int trunk_blocks = 0;
    torch::Device device = torch::kCPU;
    ProcessGroup* group = nullptr;  ///< The processes that train together; nullptr: this one.
  };

  /// `info`: the metadata of the model files, with the network's shape. Draws the weights by the
  /// seed or copies those of `init`, and makes the folder `out`. Throws std::runtime_error where
  /// `init` does not fit the network.
  TrainingRun(const ModelInfo& info, const Settings& settings, std::filesystem::path out);

  /// ModuleRun::resume() with the optimiser's state.
  void resume(const nlohmann::json& identity);

  /// Averages the gradients over the processes, then updates the weights and their average.
  void step(double learning_rate);

  /// Makes batch norm and dropout act on the whole batch of all processes. `parts`: the sizes of
  /// the batch's sections, of each of which this process has its share. Does nothing for one
  /// process.
  void enable_sync_bn(const std::vector<int>& parts);

  /// Writes the average to a model file. Its provenance is `provenance` and, as "valid", `entry`,
  /// the epoch's log entry; `thresholds` is the policy's state, null where there is none.
  void save(const std::filesystem::path& path, const nlohmann::json& entry,
            nlohmann::json provenance, const nlohmann::json& thresholds = {}) const;

  Network network, average;

 private:
  /// `networks`: the network and its average.
  TrainingRun(const ModelInfo& info, const Settings& settings, std::filesystem::path out,
              std::pair<Network, Network> networks);

  ModelInfo info_;
  ProcessGroup* const group_;
  Sgd sgd_;
};

}  // namespace fer
