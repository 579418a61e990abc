#include "stream/slot_learner.h"

#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "stream/learner.h"
#include "version.h"

namespace fer {
namespace {

class HeldLearner final : public SlotLearner {
 public:
  explicit HeldLearner(const std::string& slot) : learner_(Learner::get(slot, {})) {}

  LearnerStats stats() const override { return learner_->stats(); }
  nlohmann::json stats_json() const override { return learner_->stats(); }
  std::vector<std::string> labels() const override { return learner_->info().labels; }
  bool paused() const override { return learner_->paused(); }
  void pause(bool paused) override { learner_->pause(paused); }
  void save() override { learner_->save(); }
  void rollback() override { learner_->rollback(); }
  void reset() override { learner_->reset(); }

 private:
  const std::shared_ptr<Learner> learner_;
};

}  // namespace
}  // namespace fer

extern "C" __attribute__((visibility("default"))) fer::SlotLearner* fer_slot_learner_1(
    const char* slot, const char* version) {
  if (std::strcmp(version, FER_VERSION) != 0) return nullptr;
  return std::make_unique<fer::HeldLearner>(slot).release();
}
