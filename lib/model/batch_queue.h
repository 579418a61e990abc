// Joins what several threads want classified at the same time into one batch.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "export.h"

namespace fer {

class Classifier;
class WorkerPool;

/// Several threads hand in crops; whoever comes first while no batch runs becomes the leader and
/// runs all that is waiting, the others wait for their rows. Nobody waits for company: a batch is
/// whatever gathered while the one before it ran.
class FER_API BatchQueue {
 public:
  /// Chooses the classifier of a batch, just before it runs. May give none or throw; then the
  /// batch's callers get an error.
  using Chooser = std::function<std::shared_ptr<const Classifier>()>;
  /// A queue without requests; `choose` is asked once a batch.
  explicit BatchQueue(Chooser choose);
  ~BatchQueue();

  /// What a batch said of one request.
  struct Answer {
    std::shared_ptr<const Classifier> classifier;  ///< Whose logits these are.
    std::vector<float> logits;                     ///< One row a crop.
  };

  /// Blocks until the crops' batch has run, on at most `threads` threads (the largest of those that
  /// share a batch; 0 counts as 1). Throws std::runtime_error where no model serves, and what the
  /// classifier threw. Crops whose size the batch's classifier does not take (a swap to another
  /// input size came between) give an answer with no logits: cut them anew and ask again.
  Answer classify(std::span<const std::uint8_t> crops, unsigned threads = 1);

  /// How many batches have run.
  std::uint64_t batches() const;

 private:
  struct Request {
    std::span<const std::uint8_t> crops;
    unsigned threads = 1;
    Answer answer;
    std::exception_ptr error;
    bool done = false;
  };
  void run(const std::vector<Request*>& requests);
  std::vector<float> compute(const Classifier& classifier, std::span<const std::uint8_t> crops,
                             unsigned threads);

  const Chooser choose_;
  const std::unique_ptr<WorkerPool> pool_;  ///< Only the leader uses it.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Request*> waiting_;  ///< Guarded by mutex_.
  bool running_ = false;           ///< Guarded by mutex_.
  std::uint64_t batches_ = 0;      ///< Guarded by mutex_.
};

}  // namespace fer
