// A slot's learner for programs that do without LibTorch: they reach it through this interface,
// once the element ferlearn has brought libfer-learn into the process.
#pragma once

#include <cstddef>
#include <future>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "model/model_info.h"
#include "stream/label_question.h"
#include "stream/learner_stats.h"

namespace fer {

/// Keeps the learner alive. Its functions are those of Learner.
class SlotLearner {
 public:
  virtual ~SlotLearner() = default;

  virtual LearnerStats stats() const = 0;
  virtual nlohmann::json stats_json() const = 0;
  virtual const ModelInfo& info() const = 0;
  virtual bool paused() const = 0;
  virtual void pause(bool paused) = 0;
  virtual void save() = 0;
  virtual void rollback() = 0;
  virtual void reset() = 0;
  virtual std::future<std::vector<LabelQuestion>> questions(std::size_t n,
                                                            std::set<std::string> hidden) = 0;
  virtual bool answer(const LabelQuestion& question, const std::string& label) = 0;
  virtual void answer(const LabelQuestion& question, LabelAnswer answer) = 0;
};

/// The library's one symbol for this, of this type: the learner of a slot, for the caller to
/// delete. Null where the caller is of another `version`. Throws as Learner::get() does.
inline constexpr const char* kSlotLearnerSymbol = "fer_slot_learner_1";
using SlotLearnerFunction = SlotLearner* (*)(const char* slot, const char* version);

}  // namespace fer
