#include "stream/slot_learner.h"

#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "stream/learner.h"
#include "version.h"

namespace fer {
namespace {

class HeldLearner final : public SlotLearner {
 public:
  explicit HeldLearner(const std::string& slot) : learner_(Learner::get(slot, {})) {}

  LearnerStats stats() const override { return learner_->stats(); }
  nlohmann::json stats_json() const override { return learner_->stats(); }
  const ModelInfo& info() const override { return learner_->info(); }
  bool paused() const override { return learner_->paused(); }
  void pause(bool paused) override { learner_->pause(paused); }
  void save() override { learner_->save(); }
  void rollback() override { learner_->rollback(); }
  void reset() override { learner_->reset(); }
  std::future<std::vector<LabelQuestion>> questions(std::size_t n,
                                                    std::set<std::string> hidden) override {
    return learner_->questions(n, std::move(hidden));
  }
  bool answer(const LabelQuestion& question, const std::string& label) override {
    return learner_->answer(question, label);
  }
  void answer(const LabelQuestion& question, LabelAnswer answer) override {
    learner_->answer(question, answer);
  }

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
