// Processes that train one network together.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "export.h"
#include "learn/distributed/distributed_env.h"

namespace at {
class Tensor;
}

namespace fer {

class Communicator;
struct BatchPart;

/// The processes of a run, and their collective operations. All must make the same calls in the
/// same order, and each call waits for the others. It throws std::runtime_error where a process has
/// gone, or does not call within the patience. Not thread-safe.
class FER_API ProcessGroup {
 public:
  /// True where this build can run several processes on processors.
  static bool available();

  /// Waits until all processes have come. `device`: this process's device by its full name; "cpu"
  /// exchanges by Gloo, others by NCCL. Throws std::runtime_error that names MASTER_ADDR and
  /// MASTER_PORT where a process does not come, or WORLD_SIZE where this build runs one process
  /// only.
  ProcessGroup(const DistributedEnv& env, std::chrono::milliseconds patience,
               const std::string& device = "cpu");
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  int rank() const { return env_.rank; }
  int size() const { return env_.size; }
  const std::string& device() const { return device_; }
  /// Processes of the group on this machine.
  int local_size() const { return env_.local_size; }
  /// True for rank 0, which alone writes files and talks to the user.
  bool writes() const { return env_.rank == 0; }

  /// This process's rows of a batch of `batch` rows, or a multiple of it. Throws std::runtime_error
  /// where the rows cannot be divided evenly.
  BatchPart part(int batch) const;

  /// Replaces a tensor by its sum over the processes.
  void sum(at::Tensor& tensor);
  /// Replaces floating-point tensors by their means over the processes. All processes get the same
  /// bits.
  void average(const std::vector<at::Tensor>& tensors);
  /// Replaces tensors by rank 0's.
  void broadcast(const std::vector<at::Tensor>& tensors);
  /// Rank 0's text.
  std::string broadcast(const std::string& text);
  /// The rows of all processes, in order of rank. Each must bring as many.
  at::Tensor gather_rows(const at::Tensor& rows);
  /// True in all processes where `own` is true in one.
  bool any(bool own);
  /// Throws std::runtime_error in all processes where one has another text than rank 0. `what`:
  /// what the text stands for, for the message.
  void require_same(const std::string& text, const std::string& what);

 private:
  /// Runs a collective operation; errors become a sentence for people.
  template <typename Exchange>
  void together(Exchange&& exchange);
  /// Flattens many tensors at a time into one, and runs `exchange` on it.
  template <typename Exchange>
  void in_buckets(const std::vector<at::Tensor>& tensors, Exchange&& exchange);

  const DistributedEnv env_;
  const std::chrono::milliseconds patience_;
  const std::string device_;
  std::unique_ptr<Communicator> communicator_;
};

}  // namespace fer
