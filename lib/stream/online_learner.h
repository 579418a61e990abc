// Learning from a stream of unlabelled faces, step by step. Its interface is free of LibTorch;
// learner.h runs it on a thread of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "export.h"
#include "model/model_info.h"
#include "stream/face_sample.h"
#include "stream/label_picker.h"
#include "stream/label_question.h"
#include "stream/learner_config.h"
#include "stream/learner_stats.h"
#include "stream/outcome.h"
#include "stream/step_report.h"

namespace fer {

struct Checkpoint;
struct Evidence;
struct ModelFile;

/// Adapts a model to faces that nobody labelled, without forgetting. A student learns; its average,
/// the teacher, labels and is the candidate that may serve. Guards, in order of value, stand in
/// docs/explanation/learning-online.md.
///
/// Everything follows from the configuration, its seed, and the order of the calls; on a CUDA
/// device but for the order of its sums. A step that throws (where memory runs
/// out) does not count, and another may follow. Not thread-safe. It draws its random numbers from
/// LibTorch's default generator, which it seeds anew in each step: two of them at work at the same
/// time disturb one another's reproducibility, nothing else.
class FER_API OnlineLearner {
 public:
  /// Where labelled faces come from: see Learner::Settings. Empty paths: none.
  struct Labelled {
    std::filesystem::path replay, canary;
    /// Where one is not named: the file beside the model, of its name with the ending .replay or
    /// .canary, if there is one.
    FER_API Labelled or_beside(const std::filesystem::path& model) const;
  };

  /// Throws std::runtime_error: what config.check() and resolve_device() throw, labelled faces that
  /// cannot be read or do not fit the model, and none where a guard asks for them.
  OnlineLearner(const ModelFile& source, const Labelled& labelled, const OnlineConfig& config);
  ~OnlineLearner();
  OnlineLearner(const OnlineLearner&) = delete;
  OnlineLearner& operator=(const OnlineLearner&) = delete;

  const ModelInfo& info() const;
  /// Residual blocks that never change: all models of this learner share what is below.
  int split_point() const;

  /// Faces as they came. Crops of another size are refused by std::invalid_argument.
  void observe(std::vector<FaceSample> faces);
  /// Drops remembered faces that are older than OnlineConfig::max_sample_age, as observe() does.
  /// Whether there were any since it was last asked.
  bool expire();
  /// Ends the tracklets of a source, or all.
  void end_of(const std::optional<std::string>& source = std::nullopt);

  /// A tracklet that another machine made with the same half below the split point, `age_s` seconds
  /// ago. Throws std::invalid_argument where it does not fit the networks.
  void take(Evidence evidence, std::int64_t age_s);

  /// A face of the stream whose expression is known, by its index among info().labels. A few of
  /// each class (5 to 20) fit the head, set the thresholds and join the canary. Throws
  /// std::invalid_argument for a crop of another size and for a label that is no class.
  void add_label(const FaceSample& face, int label);

  /// Remembered faces whose label would teach most, at most `n`, as label_picker.h picks them.
  /// Those of `hidden` sources are left out.
  std::vector<LabelQuestion> questions(std::size_t n, const std::set<std::string>& hidden = {},
                                       const PickBy& by = {}) const;
  /// A question was answered, by a label (nullopt) or otherwise: it is not asked again. All but
  /// what nobody can tell leaves the memory: people know better than the teacher.
  void settle(std::uint64_t id, std::optional<LabelAnswer> answer = std::nullopt);

  /// Whether enough is remembered, and new enough, for a step.
  bool can_step() const;

  using Step = StepReport;
  /// Throws std::logic_error where nothing is remembered.
  Step step();

  using Outcome = fer::Outcome;
  /// Looks at the canary where it is time, and decides.
  std::optional<Outcome> judge_if_due();
  /// Looks now.
  Outcome judge_now();

  /// Back to what served before the last promotion (the source at last). False where the source
  /// serves already.
  bool rollback();
  /// Back to the source: memory, thresholds and optimiser too.
  void reset();

  /// The model that may serve, with version, parent, provenance and thresholds.
  ModelFile serving() const;
  /// The teacher as it is.
  ModelFile candidate() const;

  /// All that learning goes on from; the same settings and source model give the same future.
  Checkpoint state() const;
  /// Throws std::runtime_error where the state is another model's, or broken; then nothing changed.
  void restore(const Checkpoint& state);
  /// Models that served before, oldest first: where rollback() goes.
  void restore_history(const std::vector<ModelFile>& served);

  /// All but the queue's, the process's and the thread's fields.
  LearnerStats stats() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
