// A model that cameras share, and the learner that adapts it.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/service_config.h"
#include "slots/label_desk.h"
#include "stream/slot_learner.h"

namespace fer {

class ModelSlot;

/// Something that a learner did, or that went wrong with it.
struct SlotEvent {
  std::uint64_t number = 0;  ///< From 1 on.
  std::int64_t time_s = 0;   ///< Since 1970, UTC.
  std::string kind;          ///< "promoted", "kept", "rolled back", "reset", "warning".
  std::string text;
};

/// Holds a model slot and its learner, so that both outlive the pipelines that use them: a camera
/// that fails every second costs the others nothing that was learnt. Thread-safe.
class Slot {
 public:
  /// Makes the learner, where there is to be one. Throws std::runtime_error that says why not.
  explicit Slot(const SlotConfig& config);
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  const SlotConfig& config() const { return config_; }
  /// Null where nothing learns.
  const std::shared_ptr<SlotLearner>& learner() const { return learner_; }
  /// Of the model that serves; empty before the first camera has opened it.
  std::string version() const;

  /// Where people answer its learner's questions.
  LabelDesk& desk() { return desk_; }

  /// Looks for decisions since the last call, and for questions that are too old; call it a few
  /// times a second.
  void look();
  /// The last events after this number, oldest first.
  std::vector<SlotEvent> events(std::uint64_t after = 0) const;

 private:
  void note(const std::string& kind, const std::string& text);

  const SlotConfig config_;
  std::shared_ptr<ModelSlot> model_;
  /// A ferlearn without a stream, which turns its properties into a learner.
  GstElement* keeper_ = nullptr;
  std::shared_ptr<SlotLearner> learner_;
  LabelDesk desk_;

  mutable std::mutex mutex_;  ///< Guards what follows.
  std::deque<SlotEvent> events_;
  std::uint64_t next_ = 1;
  std::uint64_t decided_ = 0;  ///< Decisions that were seen.
  std::string decision_, reason_;
  std::uint64_t warnings_ = 0;
};

}  // namespace fer
