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

/// What the processes of a run tell each other. All of them must make the same calls in the same
/// order; each call waits for the others. One that has gone, or does not come within the patience,
/// makes it throw a std::runtime_error that says so. Not thread-safe.
class FER_API ProcessGroup {
 public:
  /// True where this build can run several processes on processors.
  static bool available();

  /// Waits for all to come. `device`: of this process, by its own name; "cpu" exchanges by Gloo,
  /// others by NCCL. Throws std::runtime_error that names MASTER_ADDR and MASTER_PORT where they do
  /// not, or WORLD_SIZE where this build can run one process only.
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
  /// True for the one that writes files and talks to the user.
  bool writes() const { return env_.rank == 0; }

  /// This process's rows of batches of `batch` rows, and of every multiple of it. Throws
  /// std::runtime_error where they cannot be shared evenly.
  BatchPart part(int batch) const;

  /// Replaces a tensor by its sum over the processes.
  void sum(at::Tensor& tensor);
  /// Replaces floating-point tensors by their means over the processes, many at a time. The same
  /// tensors come out in all processes, bit for bit.
  void average(const std::vector<at::Tensor>& tensors);
  /// Replaces tensors by rank 0's, many at a time.
  void broadcast(const std::vector<at::Tensor>& tensors);
  /// Rank 0's text.
  std::string broadcast(const std::string& text);
  /// The rows of all processes, by rank; each brings as many.
  at::Tensor gather_rows(const at::Tensor& rows);
  /// True in all processes where it is true in one.
  bool any(bool own);
  /// Throws std::runtime_error in all processes where one brings another text than rank 0; `what`
  /// says what differs.
  void require_same(const std::string& text, const std::string& what);

 private:
  /// Runs an exchange, and words what it throws.
  template <typename Exchange>
  void together(Exchange&& exchange);
  /// Runs exchange(flat tensor) on many tensors at a time.
  template <typename Exchange>
  void in_buckets(const std::vector<at::Tensor>& tensors, Exchange&& exchange);

  const DistributedEnv env_;
  const std::chrono::milliseconds patience_;
  const std::string device_;
  std::unique_ptr<Communicator> communicator_;
};

}  // namespace fer
