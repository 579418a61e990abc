#include "face-taker.h"

#include <stdexcept>
#include <utility>

#ifdef HAVE_EXCHANGE
#include "exchange/collector.h"
#endif

namespace fer {
namespace {

class LocalLearner : public FaceTaker {
 public:
  explicit LocalLearner(const LearnSettings& settings)
      : learner_(Learner::get(settings.model_slot, learner_settings(settings))) {}

  const ModelInfo& info() const override { return learner_->info(); }
  bool offer(FaceSample face) noexcept override { return learner_->offer(std::move(face)); }
  void end_of(const std::string& source) override { learner_->end_of(source); }
  void pause(bool paused) override { learner_->pause(paused); }
  void set_max_cpu(double max_cpu) override { learner_->set_max_cpu(max_cpu); }
  void report(LearnReport& report) const override { report.learner = learner_->stats(); }
  Learner::Subscription subscribe(Learner::Listener listener) override {
    return learner_->subscribe(std::move(listener));
  }
  Learner* learner() override { return learner_.get(); }

 private:
  const std::shared_ptr<Learner> learner_;
};

#ifdef HAVE_EXCHANGE
Collector::Settings collector_settings(const LearnSettings& settings) {
  if (settings.broker.empty()) {
    throw std::runtime_error(
        "role=collect sends to a broker, but none is named: set broker to mqtt://host/topic-base");
  }
  if (settings.model_slot.empty()) {
    throw std::runtime_error(
        "role=collect needs model-slot, which names the topics below the broker's topic-base");
  }
  Collector::Settings wanted;
  wanted.broker = {settings.broker, settings.ca_file, settings.certificate, settings.key};
  wanted.slot = settings.model_slot;
  wanted.learner = learner_settings(settings);
  wanted.max_per_minute = static_cast<int>(settings.max_evidence);
  return wanted;
}

class RemoteLearner : public FaceTaker {
 public:
  explicit RemoteLearner(const LearnSettings& settings)
      : collector_(Collector::get(collector_settings(settings))) {}

  const ModelInfo& info() const override { return collector_->info(); }
  bool offer(FaceSample face) noexcept override { return collector_->offer(std::move(face)); }
  void end_of(const std::string& source) override { collector_->end_of(source); }
  void pause(bool paused) override { collector_->pause(paused); }
  void set_max_cpu(double max_cpu) override { collector_->set_max_cpu(max_cpu); }
  void report(LearnReport& report) const override {
    report.learner = collector_->learner_stats();
    const CollectorStats now = collector_->stats();
    ExchangeCounts& counts = report.exchange;
    counts.collected = now.collected;
    counts.sent = now.sent;
    counts.thinned = now.thinned_by_class;
    counts.expired = now.expired;
    counts.waiting = now.waiting + now.spooled;
    counts.bytes = now.bytes;
    counts.models = now.models;
    counts.refused_models = now.refused_models;
    counts.connected = now.connected;
  }
  Learner::Subscription subscribe(Learner::Listener listener) override {
    return collector_->subscribe(std::move(listener));
  }

 private:
  const std::shared_ptr<Collector> collector_;
};
#endif

}  // namespace

std::shared_ptr<FaceTaker> open_face_taker(const LearnSettings& settings) {
  if (settings.role == LearnRole::kLearn) return std::make_shared<LocalLearner>(settings);
#ifdef HAVE_EXCHANGE
  return std::make_shared<RemoteLearner>(settings);
#else
  throw std::runtime_error(
      "role=collect is not in this build: it needs libmosquitto, SQLite and zlib");
#endif
}

}  // namespace fer
