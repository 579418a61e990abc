// Who takes the faces that a ferlearn sees: a learner here, or a collector for one elsewhere.
#pragma once

#include <memory>

#include "learn-settings.h"
#include "learner-table.h"
#include "model/model_info.h"
#include "stream/face_sample.h"
#include "stream/learner.h"

namespace fer {

/// Members are those of Learner; streaming threads may call offer() and report().
class FaceTaker {
 public:
  virtual ~FaceTaker() = default;

  virtual const ModelInfo& info() const = 0;
  virtual bool offer(FaceSample face) noexcept = 0;
  virtual void end_of(const std::string& source) = 0;
  virtual void pause(bool paused) = 0;
  virtual void set_max_cpu(double max_cpu) = 0;
  /// Fills in all but the element's own counts.
  virtual void report(LearnReport& report) const = 0;
  [[nodiscard]] virtual Learner::Subscription subscribe(Learner::Listener listener) = 0;
  /// Null where the learner is elsewhere.
  virtual Learner* learner() { return nullptr; }
};

/// Joins the slot's learner or collector, or makes it. Blocks while it reads the source model.
/// Throws std::runtime_error with a sentence.
std::shared_ptr<FaceTaker> open_face_taker(const LearnSettings& settings);

}  // namespace fer
