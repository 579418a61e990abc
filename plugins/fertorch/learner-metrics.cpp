#include "learner-metrics.h"

namespace fer {
namespace {

/// What is told by class.
void add_classes(Metrics& metrics, const LearnerStats& stats) {
  using Kind = Metric::Kind;
  struct Row {
    Kind kind;
    const char *name, *help;
    double (*value)(const LearnerStats::PerClass&);
  };
  using PerClass = LearnerStats::PerClass;
  static constexpr Row kRows[] = {
      {Kind::kGauge, "fer_learn_threshold_ratio",
       "Confidence at which a row of the class is accepted",
       [](const PerClass& one) { return one.threshold; }},
      {Kind::kGauge, "fer_learn_accept_ratio",
       "Share of the rows of the class that was accepted, over about the last 100 steps",
       [](const PerClass& one) { return one.accept_rate; }},
      {Kind::kCounter, "fer_learn_accepted_total", "Rows that were taken as the class",
       [](const PerClass& one) { return static_cast<double>(one.accepted); }},
      {Kind::kGauge, "fer_learn_remembered_tracklets", "Tracklets in the memory under the class",
       [](const PerClass& one) { return static_cast<double>(one.remembered); }}};
  for (const Row& row : kRows) {
    metrics.announce(row.kind, row.name, row.help);
    for (const PerClass& one : stats.classes) {
      const MetricLabels labels{{"class", one.label}};
      if (row.kind == Kind::kCounter) {
        metrics.counter(row.name, row.help, row.value(one), labels);
      } else {
        metrics.gauge(row.name, row.help, row.value(one), labels);
      }
    }
  }
}

}  // namespace

Metrics learner_metrics(const LearnerStats& stats, const SampleCounts& counts) {
  Metrics metrics;
  const auto count = [&](const char* name, const char* help, std::uint64_t value,
                         const MetricLabels& labels = {}) {
    metrics.counter(name, help, static_cast<double>(value), labels);
  };
  count("fer_learn_frames_total", "Frames that passed", counts.frames);
  count("fer_learn_faces_total", "Faces, over all frames", counts.faces);
  count("fer_learn_sampled_total", "Faces that were handed to the learner", counts.sampled);
  count("fer_learn_failed_total", "Frames whose faces could not be cut out", counts.failed);

  count("fer_learn_offered_total", "Faces that came to the learner's queue", stats.offered);
  count("fer_learn_dropped_total", "Faces that were pushed out of the queue, or came while paused",
        stats.dropped);
  metrics.gauge("fer_learn_queued_faces", "Faces in the queue", static_cast<double>(stats.queued));
  count("fer_learn_passed_total", "Faces that passed the gates", stats.faces);
  constexpr const char* kRefused = "fer_learn_refused_total";
  constexpr const char* kRefusedHelp = "Faces or tracklets that the gate refused";
  metrics.announce(Metric::Kind::kCounter, kRefused, kRefusedHelp);
  for (const auto& [gate, refused] : stats.refused) {
    count(kRefused, kRefusedHelp, refused, {{"gate", gate}});
  }
  count("fer_learn_tracklets_total", "Pieces of evidence that came of the faces", stats.tracklets);
  metrics.gauge("fer_learn_memory_tracklets", "Tracklets in the memory", stats.memory);
  metrics.gauge("fer_learn_memory_capacity_tracklets", "Tracklets that the memory can hold",
                stats.memory_capacity);
  add_classes(metrics, stats);

  count("fer_learn_steps_total", "Steps of learning", stats.steps);
  metrics.gauge("fer_learn_loss", "Loss of the last step", stats.loss);
  metrics.gauge("fer_learn_loss_labelled", "Its part of the labelled faces", stats.loss_x);
  metrics.gauge("fer_learn_loss_unlabelled", "Its part of the pseudo-labels", stats.loss_u);
  metrics.gauge("fer_learn_loss_negative", "Its part of the negatives", stats.loss_n);
  metrics.gauge("fer_learn_rate", "Step size of gradient descent now", stats.learning_rate);

  constexpr const char* kScore = "fer_learn_canary_score_ratio";
  constexpr const char* kScoreHelp = "Macro recall on the canary";
  metrics.gauge(kScore, kScoreHelp, stats.source_score, {{"model", "source"}});
  metrics.gauge(kScore, kScoreHelp, stats.serving_score, {{"model", "serving"}});
  metrics.gauge(kScore, kScoreHelp, stats.candidate_score, {{"model", "candidate"}});
  constexpr const char* kAccuracy = "fer_learn_canary_accuracy_ratio";
  constexpr const char* kAccuracyHelp =
      "Accuracy on the canary, were its classes as common as in the source's prior";
  metrics.gauge(kAccuracy, kAccuracyHelp, stats.source_accuracy, {{"model", "source"}});
  metrics.gauge(kAccuracy, kAccuracyHelp, stats.serving_accuracy, {{"model", "serving"}});
  metrics.gauge(kAccuracy, kAccuracyHelp, stats.candidate_accuracy, {{"model", "candidate"}});
  count("fer_learn_promotions_total", "Candidates that took over", stats.promotions);
  count("fer_learn_kept_total", "Candidates that did not", stats.kept);
  count("fer_learn_rollbacks_total", "Times that what was learnt, or what served, was thrown away",
        stats.rollbacks);
  metrics.gauge("fer_learn_model_info", "Versions of the models; always 1", 1,
                {{"source", stats.source_version},
                 {"serving", stats.serving_version},
                 {"candidate", stats.candidate_version}});

  metrics.gauge("fer_learn_paused", "1 while nothing is learnt, else 0", stats.paused ? 1 : 0);
  metrics.gauge("fer_learn_cpu_ratio", "Share of one core that the learner took since it began",
                stats.cpu_share);
  count("fer_learn_warnings_total", "Warnings of the learner", stats.warnings);
  return metrics;
}

}  // namespace fer
