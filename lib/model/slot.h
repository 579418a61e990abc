// Models that several elements share, and that can be exchanged while they serve.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "export.h"
#include "model/batch_queue.h"
#include "model/classifier.h"

namespace fer {

/// Holds the model that serves. Exchanging it is one pointer swap between two batches: no frame is
/// lost, reordered or held. Thread-safe.
class FER_API ModelSlot {
 public:
  ModelSlot();

  /// The slot of this name in this process, made where there is none yet. It lives as long as somebody
  /// holds it. An empty name makes a slot that nobody else shares.
  static std::shared_ptr<ModelSlot> get(const std::string& name);

  /// The serving model; null before the first swap.
  std::shared_ptr<const Classifier> current() const;
  /// Serves `next` from the next batch on; returns what served before.
  std::shared_ptr<const Classifier> swap(std::shared_ptr<const Classifier> next);
  /// As swap(), but only where nothing serves yet. Returns what serves then.
  std::shared_ptr<const Classifier> install_first(std::shared_ptr<const Classifier> first);
  /// Counts the swaps.
  std::uint64_t generation() const;

  /// All that want this slot's model ask here. Must not be called while current() is null.
  BatchQueue& queue() { return queue_; }

 private:
  mutable std::mutex mutex_;  ///< Held for a pointer copy, never for work.
  std::shared_ptr<const Classifier> current_;
  std::uint64_t generation_ = 0;
  BatchQueue queue_;
};

}  // namespace fer
