#include "learner-table.h"

namespace fer {
namespace {

/// A row's way to a count of the element, and to a number of the learner.
template <typename Value>
auto of_element(Value SampleCounts::*member) {
  return [member](const LearnReport& report) { return report.counts.*member; };
}
template <typename Value>
auto of_learner(Value LearnerStats::*member) {
  return [member](const LearnReport& report) -> const Value& { return report.learner.*member; };
}

template <typename Value>
auto of_exchange(Value ExchangeCounts::*member) {
  return [member](const LearnReport& report) -> const Value& { return report.exchange.*member; };
}

void add_exchange(StatsTable<LearnReport>& table) {
  using Counts = ExchangeCounts;
  table.counter(
      of_exchange(&Counts::collected),
      {"collected", "fer_learn_collected_total", "Pieces of evidence for a learner elsewhere", {}});
  table.counter(of_exchange(&Counts::sent),
                {"sent", "fer_learn_sent_total", "Pieces of evidence that reached a learner", {}});
  table.counts_by_name(of_exchange(&Counts::thinned), "class",
                       {"thinned",
                        "fer_learn_thinned_total",
                        "Pieces of evidence dropped by class and identity, for want of room",
                        {}});
  table.counter(of_exchange(&Counts::expired),
                {"expired",
                 "fer_learn_expired_total",
                 "Pieces of evidence that waited for longer than max-sample-age",
                 {}});
  table.gauge(
      of_exchange(&Counts::waiting),
      {"waiting", "fer_learn_waiting_evidence", "Pieces of evidence that wait for the broker", {}});
  table.counter(
      of_exchange(&Counts::bytes),
      {"sent-bytes", "fer_learn_sent_bytes_total", "Bytes of evidence given to the broker", {}});
  table.counter(
      of_exchange(&Counts::models),
      {"models", "fer_learn_models_total", "Models of a learner elsewhere that serve here", {}});
  table.counts_by_name(of_exchange(&Counts::refused_models), "reason",
                       {"refused-models",
                        "fer_learn_refused_models_total",
                        "Models of a learner elsewhere that were refused",
                        {}});
  table.gauge(of_exchange(&Counts::connected),
              {"connected", "fer_learn_connected", "Whether the broker is there", {}});
}

void add_queue(StatsTable<LearnReport>& table) {
  using Counts = SampleCounts;
  using Stats = LearnerStats;
  table.counter(of_element(&Counts::frames),
                {"frames", "fer_learn_frames_total", "Frames that passed", {}});
  table.counter(of_element(&Counts::faces),
                {"faces", "fer_learn_faces_total", "Faces, over all frames", {}});
  table.counter(of_element(&Counts::sampled),
                {"sampled", "fer_learn_sampled_total", "Faces handed to the learner", {}});
  table.counter(
      of_element(&Counts::failed),
      {"failed", "fer_learn_failed_total", "Frames whose faces could not be cut out", {}});
  table.counter(
      of_learner(&Stats::offered),
      {"offered", "fer_learn_offered_total", "Faces that came to the learner's queue", {}});
  table.counter(of_learner(&Stats::dropped),
                {"dropped",
                 "fer_learn_dropped_total",
                 "Faces pushed out of the queue by newer ones, or come while paused",
                 {}});
  table.gauge(of_learner(&Stats::queued),
              {"queued", "fer_learn_queued_faces", "Faces in the queue", {}});
  table.counter(of_learner(&Stats::faces),
                {"passed", "fer_learn_passed_total", "Faces that passed the gates", {}});
  table.counts_by_name(
      of_learner(&Stats::refused), "gate",
      {"refused", "fer_learn_refused_total", "Faces or tracklets that the gate refused", {}});
  table.counter(of_learner(&Stats::tracklets),
                {"tracklets", "fer_learn_tracklets_total", "Tracklets that came of the faces", {}});
  table.gauge(of_learner(&Stats::memory),
              {"memory", "fer_learn_memory_tracklets", "Tracklets in the memory", {}});
  table.gauge(of_learner(&Stats::memory_capacity), {"memory-capacity",
                                                    "fer_learn_memory_capacity_tracklets",
                                                    "Tracklets that the memory can hold",
                                                    {}});
}

void add_classes(StatsTable<LearnReport>& table) {
  using Kind = Metric::Kind;
  using PerClass = LearnerStats::PerClass;
  const auto classes = of_learner(&LearnerStats::classes);
  const auto add = [&](Kind kind, auto value, const StatName& name) {
    table.per_item(kind, classes, "class", &PerClass::label, value, name);
  };
  add(Kind::kGauge, &PerClass::label, {"labels", nullptr, "The classes, in the model's order", {}});
  add(Kind::kGauge, &PerClass::threshold,
      {"thresholds",
       "fer_learn_threshold_ratio",
       "Confidence at which a row of the class is accepted",
       {}});
  add(Kind::kGauge, &PerClass::accept_rate,
      {"accept-rates",
       "fer_learn_accept_ratio",
       "Share of the class's rows that was accepted, over about 100 steps",
       {}});
  add(Kind::kCounter, &PerClass::accepted,
      {"accepted", "fer_learn_accepted_total", "Rows taken as the class", {}});
  add(Kind::kGauge, &PerClass::remembered,
      {"remembered",
       "fer_learn_remembered_tracklets",
       "Tracklets in the memory under the class",
       {}});
}

void add_steps(StatsTable<LearnReport>& table) {
  using Stats = LearnerStats;
  table.counter(of_learner(&Stats::steps),
                {"steps", "fer_learn_steps_total", "Steps of learning", {}});
  table.gauge(of_learner(&Stats::loss), {"loss", "fer_learn_loss", "Loss of the last step", {}});
  table.gauge(
      of_learner(&Stats::loss_x),
      {"loss-labelled", "fer_learn_loss_labelled", "The loss's part of the labelled faces", {}});
  table.gauge(
      of_learner(&Stats::loss_u),
      {"loss-unlabelled", "fer_learn_loss_unlabelled", "The loss's part of the pseudo-labels", {}});
  table.gauge(of_learner(&Stats::loss_n),
              {"loss-negative", "fer_learn_loss_negative", "The loss's part of the negatives", {}});
  table.gauge(of_learner(&Stats::learning_rate),
              {"learning-rate", "fer_learn_rate", "Step size of gradient descent now", {}});
}

void add_models(StatsTable<LearnReport>& table) {
  using Stats = LearnerStats;
  table.text(of_learner(&Stats::source_version), "source-version",
             "Version of the model that learning began from");
  table.text(of_learner(&Stats::serving_version), "serving-version",
             "Version of the model that serves");
  table.text(of_learner(&Stats::candidate_version), "candidate-version",
             "Version of the model that was compared last");
  table.info("fer_learn_model_info", "Versions of the models; always 1",
             [](const LearnReport& report) {
               const LearnerStats& stats = report.learner;
               return MetricLabels{{"source", stats.source_version},
                                   {"serving", stats.serving_version},
                                   {"candidate", stats.candidate_version}};
             });
  constexpr const char* kScore = "fer_learn_canary_score_ratio";
  constexpr const char* kRecall = "Macro recall on the canary";
  table.gauge(of_learner(&Stats::source_score),
              {"source-score", kScore, kRecall, {{"model", "source"}}});
  table.gauge(of_learner(&Stats::serving_score),
              {"serving-score", kScore, kRecall, {{"model", "serving"}}});
  const auto compared = [](const LearnReport& report) {
    return !report.learner.candidate_version.empty();
  };
  table.gauge_where(compared, of_learner(&Stats::candidate_score),
                    {"candidate-score", kScore, kRecall, {{"model", "candidate"}}});
  constexpr const char* kAccuracy = "fer_learn_canary_accuracy_ratio";
  constexpr const char* kWeighted =
      "Accuracy on the canary, were its classes as common as in the source's prior";
  table.gauge(of_learner(&Stats::source_accuracy),
              {"source-accuracy", kAccuracy, kWeighted, {{"model", "source"}}});
  table.gauge(of_learner(&Stats::serving_accuracy),
              {"serving-accuracy", kAccuracy, kWeighted, {{"model", "serving"}}});
  table.gauge_where(compared, of_learner(&Stats::candidate_accuracy),
                    {"candidate-accuracy", kAccuracy, kWeighted, {{"model", "candidate"}}});
}

void add_decisions(StatsTable<LearnReport>& table) {
  using Stats = LearnerStats;
  table.counter(of_learner(&Stats::promotions),
                {"promotions", "fer_learn_promotions_total", "Candidates that took over", {}});
  table.counter(of_learner(&Stats::kept),
                {"kept", "fer_learn_kept_total", "Candidates that did not take over", {}});
  table.counter(of_learner(&Stats::rollbacks),
                {"rollbacks",
                 "fer_learn_rollbacks_total",
                 "Times that what was learnt, or what served, was thrown away",
                 {}});
  table.text(of_learner(&Stats::decision), "decision", "The last decision on a candidate");
  table.text(of_learner(&Stats::reason), "reason", "Why it was decided so");
  table.gauge(of_learner(&Stats::paused),
              {"paused", "fer_learn_paused", "Whether nothing is learnt for now", {}});
  table.gauge(of_learner(&Stats::cpu_share),
              {"cpu-share",
               "fer_learn_cpu_ratio",
               "Share of one core that the learner took since it began",
               {}});
  table.counter(of_learner(&Stats::warnings),
                {"warnings", "fer_learn_warnings_total", "Warnings of the learner", {}});
  table.text(of_learner(&Stats::last_warning), "last-warning", "The learner's last warning");
}

}  // namespace

StatsTable<LearnReport> learner_table() {
  StatsTable<LearnReport> table("fer-learn-stats");
  add_queue(table);
  add_classes(table);
  add_steps(table);
  add_models(table);
  add_decisions(table);
  add_exchange(table);
  return table;
}

}  // namespace fer
