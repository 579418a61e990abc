// What every training run needs, whatever it trains: the average of the weights, and a folder that
// keeps the log, the models and a checkpoint from which a stopped run goes on.
#pragma once

#include <torch/nn/module.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "export.h"
#include "learn/distributed/process_group.h"
#include "learn/run/train_progress.h"
#include "util/elapsed.h"
#include "util/folder_lock.h"

namespace fer {

/// Parameters and floating-point buffers by name: all that a model file keeps.
std::map<std::string, torch::Tensor> state_of(const torch::nn::Module& module);

/// The same where a file can be written of them: in memory.
std::map<std::string, torch::Tensor> state_in_memory(const torch::nn::Module& module);

/// Throws std::runtime_error, naming `where`, for a tensor that is missing or of another shape.
void copy_state(const std::map<std::string, torch::Tensor>& from, torch::nn::Module& to,
                const std::string& where);

/// Kernels as N x H x W x C, the order in which oneDNN computes: no reordering around each
/// convolution.
void to_channels_last(torch::nn::Module& module);

/// Sets the number of LibTorch's threads (0: one a core, shared with the other processes of `group`
/// on this machine) and how the process keeps freed memory.
FER_API void prepare_process(int threads, const ProcessGroup* group = nullptr);

/// A factor of the learning rate: a straight rise over the first `warm` of `end`, then half a
/// cosine to zero. `t` and `warm` in any unit, `step` the length of one step in it.
double warm_cosine(double t, double step, double warm, double end);

class ModuleRun {
 public:
  using Tensors = std::map<std::string, torch::Tensor>;

  /// `network` is trained, `average` becomes its average and must be made like it. `ema`: decay of
  /// the average, a step. `group`: the processes that train it together, of which the first alone
  /// reads and writes the folder; nullptr: this one. Lays the kernels out for the CPU, makes the
  /// folder, and keeps other runs out of it. Throws std::runtime_error where one is at work
  /// there.
  ModuleRun(std::shared_ptr<torch::nn::Module> network, std::shared_ptr<torch::nn::Module> average,
            double ema, std::filesystem::path out, ProcessGroup* group = nullptr);

  /// Goes on from the folder's checkpoint, where there is one. `identity` is what must agree
  /// between the two runs, and between all processes. `kept`: an optimiser's tensors, under names
  /// of their own ("velocity." and the parameter's); checkpoints hold them, and here they become
  /// what they were. Throws std::runtime_error with the difference where it does not fit.
  void resume(const nlohmann::json& identity, const Tensors& kept);

  /// Moves the average one step towards the network.
  void step();

  /// True in all processes where it is true in one.
  bool any(bool own) const { return group_ ? group_->any(own) : own; }
  /// Mean over the processes.
  torch::Tensor mean(const torch::Tensor& own) const;
  /// True for the process that writes files and talks to the user.
  bool writes() const { return !group_ || group_->writes(); }

  /// Keeps an epoch: log line, last.fer and, where `entry[score]` is the highest so far, best.fer
  /// (none without a score); then the checkpoint, from which the next epoch starts. Adds "epoch"
  /// and "seconds" to the entry. `save` writes the average to a path.
  void finish_epoch(
      nlohmann::json& entry, const char* score,
      const std::function<void(const std::filesystem::path&, const nlohmann::json& entry)>& save);

  /// Throws std::runtime_error where the loss is no longer finite.
  void check_finite(double loss) const;
  /// Seconds that `done` of `all` epochs leave to go, by the pace of this process.
  double seconds_left(double done, double all) const;
  TrainResult result(bool stopped) const;

  /// Further tensors that the checkpoint keeps, by name.
  Tensors extra;
  int epoch = 0;  ///< The one at hand, from 0.

 private:
  /// Takes over the folder's checkpoint, where there is one.
  void read_checkpoint_of_folder();
  /// All processes go on from the first one's state. Machines of different kinds round differently:
  /// this keeps them from drifting apart.
  void agree();
  double seconds() const;
  void checkpoint();
  /// A crash between log and checkpoint leaves a line of an epoch that is run again.
  void truncate_log() const;
  void log(const nlohmann::json& entry) const;

  const std::shared_ptr<torch::nn::Module> network_, average_;
  std::vector<torch::Tensor> from_, to_;  ///< Their tensors, in the same order.
  const double ema_;
  const std::filesystem::path out_;
  ProcessGroup* const group_;
  std::optional<FolderLock> lock_;  ///< Of the process that writes.
  Tensors kept_;
  nlohmann::json identity_, state_ = nlohmann::json::object();
  std::int64_t steps_ = 0;
  double seconds_before_ = 0;  ///< Spent before this process resumed the run.
  int first_epoch_ = 0;        ///< Of this process.
  const SteadyClock::time_point started_ = SteadyClock::now();
};

}  // namespace fer
