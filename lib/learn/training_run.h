// What supervised and semi-supervised training share: a network, its average and its optimiser, and
// a folder that keeps the log, the models and a checkpoint from which a stopped run goes on.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "learn/batches.h"
#include "learn/metrics.h"
#include "learn/sgd.h"
#include "learn/train_progress.h"
#include "model/model_info.h"
#include "model/network.h"

namespace fer {

/// Parameters and floating-point buffers by name: all that a model file keeps.
std::map<std::string, torch::Tensor> state_of(const Network& network);

/// Throws std::runtime_error, naming `where`, for a tensor that is missing or of another shape.
void copy_state(const std::map<std::string, torch::Tensor>& from, Network& to,
                const std::string& where);

/// Sets the number of LibTorch's threads (0: one a core) and how the process keeps freed memory.
void prepare_process(int threads);

/// A factor of the learning rate: a straight rise over the first `warm` of `end`, then half a
/// cosine to zero. `t` and `warm` in any unit, `step` the length of one step in it.
double warm_cosine(double t, double step, double warm, double end);

/// Rows of a dataset and what they are, as indices into a model's labels.
struct LabelledRows {
  std::vector<std::size_t> rows;
  std::vector<int> labels;
};

/// The network's predictions of unchanged views of rows against their labels, which `names` names.
Confusion confusion_of(Network& network, const PackedDataset& data, const LabelledRows& labelled,
                       const std::vector<std::string>& names, PixelStats stats, bool bf16);

/// "accuracy", "macro_recall", "recall", "confusion" and "labels" of a log line.
void write_validation(nlohmann::json& entry, const Confusion& confusion);

class TrainingRun {
 public:
  struct Settings {
    double momentum = 0.9, weight_decay = 5e-4;
    double ema = 0.999;  ///< Decay of the averaged weights, a step.
    std::uint64_t seed = 1;
  };

  /// `info`: what the model files say, its network among it. Makes the network from the seed, and
  /// the folder.
  TrainingRun(const ModelInfo& info, const Settings& settings, std::filesystem::path out);

  /// Goes on from the folder's checkpoint, where there is one. `identity` is what must agree
  /// between the two runs. Throws std::runtime_error with the difference where it does not.
  void resume(const nlohmann::json& identity);

  /// A step along the gradients, and of the average towards the network.
  void step(double learning_rate);

  /// Keeps an epoch: log line, last.fer and, where `entry[score]` is the highest so far, best.fer;
  /// then the checkpoint, from which the next epoch starts. Adds "epoch" and "seconds" to the
  /// entry. `provenance` and `thresholds` go into the model files.
  void finish_epoch(nlohmann::json& entry, const char* score, const nlohmann::json& provenance,
                    const nlohmann::json& thresholds = {});

  /// Throws std::runtime_error where the loss is no longer finite.
  void check_finite(double loss) const;

  /// Seconds that `done` of `all` epochs leave to go, by the pace of this process.
  double seconds_left(double done, double all) const;
  TrainResult result(bool stopped) const;

  Network network{nullptr}, average{nullptr};
  /// Further tensors that the checkpoint keeps, by name.
  std::map<std::string, torch::Tensor> extra;
  int epoch = 0;  ///< The one at hand, from 0.

 private:
  using Clock = std::chrono::steady_clock;

  double seconds() const;
  void save(const char* name, const nlohmann::json& entry, const nlohmann::json& provenance,
            const nlohmann::json& thresholds) const;
  void checkpoint();
  /// A crash between log and checkpoint leaves a line of an epoch that is run again.
  void truncate_log() const;
  void log(const nlohmann::json& entry) const;

  const ModelInfo info_;
  const Settings settings_;
  const std::filesystem::path out_;
  std::optional<Sgd> sgd_;
  nlohmann::json identity_, state_ = nlohmann::json::object();
  std::int64_t steps_ = 0;
  double seconds_before_ = 0;  ///< Spent before this process resumed the run.
  int first_epoch_ = 0;        ///< Of this process.
  const Clock::time_point started_ = Clock::now();
};

}  // namespace fer
