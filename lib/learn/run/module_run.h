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

/// Copies of them in the processor's memory, ready to be written to a file.
std::map<std::string, torch::Tensor> state_in_memory(const torch::nn::Module& module);

/// Throws std::runtime_error, naming `where`, for a tensor that is missing or of another shape.
void copy_state(const std::map<std::string, torch::Tensor>& from, torch::nn::Module& to,
                const std::string& where);

/// Stores the kernels as N x H x W x C. oneDNN computes in that order, and then reorders nothing
/// around each convolution.
void to_channels_last(torch::nn::Module& module);

/// Sets the number of LibTorch's threads, and lets the process keep memory that it frees. 0
/// threads: one for each core, divided among the processes of `group` on this machine.
FER_API void prepare_process(int threads, const ProcessGroup* group = nullptr);

/// A factor of the learning rate at time `t`: linear warm-up until `warm`, then a half cosine to
/// zero at `end`. All in one unit, in which `step` is the length of a step.
double warm_cosine(double t, double step, double warm, double end);

/// The state of a training run: weights, their average, log and checkpoint. run_training_loop()
/// runs its epochs.
class ModuleRun {
 public:
  using Tensors = std::map<std::string, torch::Tensor>;

  /// `network` is trained; `average`, a network of the same kind, becomes its moving average.
  /// `ema`: decay of the average per step. `out`: the run's folder, which is created and locked.
  /// `group`: the processes that train together, of which only the first touches the folder;
  /// nullptr: one process. Throws std::runtime_error where another run works in the folder.
  ModuleRun(std::shared_ptr<torch::nn::Module> network, std::shared_ptr<torch::nn::Module> average,
            double ema, std::filesystem::path out, ProcessGroup* group = nullptr);

  /// Resumes from the folder's checkpoint, if there is one. `identity`: the settings that must be
  /// the same in both runs and in all processes. `kept`: the optimiser's tensors by name
  /// ("velocity." and the parameter's name); checkpoints hold them, and this restores their values.
  /// Throws std::runtime_error with the difference where the settings differ.
  void resume(const nlohmann::json& identity, const Tensors& kept);

  /// Updates the average after a step of the optimiser.
  void step();

  /// True in all processes where it is true in one.
  bool any(bool own) const { return group_ ? group_->any(own) : own; }
  /// Mean over the processes.
  torch::Tensor mean(const torch::Tensor& own) const;
  /// True for the process that writes files and talks to the user.
  bool writes() const { return !group_ || group_->writes(); }

  /// Ends an epoch: writes last.fer, best.fer where `entry[score]` is the highest so far, the log
  /// line and the checkpoint. `entry`: the epoch's figures, to which this adds "epoch" and
  /// "seconds". `score`: nullptr for no best.fer. `save` writes the average to a path.
  void finish_epoch(
      nlohmann::json& entry, const char* score,
      const std::function<void(const std::filesystem::path&, const nlohmann::json& entry)>& save);

  /// Throws std::runtime_error where the loss is no longer finite.
  void check_finite(double loss) const;
  /// Estimated seconds until all epochs are done, from the pace of this process.
  double seconds_left(double done, double all) const;
  TrainResult result(bool stopped) const;

  /// Further tensors that checkpoints hold, by name.
  Tensors extra;
  int epoch = 0;  ///< The current one, from 0.

 private:
  /// Restores the folder's checkpoint, if there is one.
  void read_checkpoint_of_folder();
  /// Gives all processes the first one's state. Machines of different kinds round differently, and
  /// would drift apart otherwise.
  void agree();
  double seconds() const;
  void checkpoint();
  /// Drops log lines of epochs that are run again. A crash between log and checkpoint leaves one.
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
