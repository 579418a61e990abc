// Joins what several threads want classified at the same time into one batch.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "export.h"

namespace fer {

class Classifier;

/// Several threads hand in crops; whoever comes first while no batch runs becomes the leader and runs
/// all that is waiting, the others wait for their rows. Nobody waits for company: a batch is whatever
/// gathered while the one before it ran.
class FER_API BatchQueue {
 public:
  /// Chooses the classifier of a batch, just before it runs.
  using Chooser = std::function<std::shared_ptr<const Classifier>()>;
  explicit BatchQueue(Chooser choose) : choose_(std::move(choose)) {}

  struct Answer {
    std::shared_ptr<const Classifier> classifier;  ///< Whose logits these are.
    std::vector<float> logits;                     ///< One row a crop.
  };

  /// Blocks until the crops' batch has run; rethrows what the classifier threw. Crops whose size the
  /// batch's classifier does not take (a swap to another input size came between) give an answer with
  /// no logits: cut them anew and ask again.
  Answer classify(std::span<const std::uint8_t> crops);

 private:
  struct Request {
    std::span<const std::uint8_t> crops;
    Answer answer;
    std::exception_ptr error;
    bool done = false;
  };
  void run(const std::vector<Request*>& requests) const;

  const Chooser choose_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Request*> waiting_;  ///< Guarded by mutex_.
  bool running_ = false;           ///< Guarded by mutex_.
};

}  // namespace fer
