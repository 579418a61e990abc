// Learning from live streams on a thread of its own: faces in, better models out. Free of LibTorch
// and GStreamer.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "export.h"
#include "model/model_info.h"
#include "stream/face_sample.h"
#include "stream/label_question.h"
#include "stream/learner_config.h"
#include "stream/learner_stats.h"

namespace fer {

class Collector;
class ModelSlot;
struct Evidence;
struct ListenerState;

/// Adapts the model of a slot to the faces that it is offered, and serves what it learnt through
/// that slot. All elements that name the same slot share one learner.
///
/// offer() and stats() may be called from streaming threads: they wait for nothing but a lock that
/// is held for a copy. All else that is slow (reading, learning, writing) happens on the learner's
/// thread, which runs at idle priority (unless told otherwise) within a CPU budget. Thread-safe.
class FER_API Learner {
 public:
  /// What get() makes a learner with.
  struct Settings {
    /// Model to begin from; empty: what the slot serves already, else the one that ships.
    std::filesystem::path source_model;
    /// Labelled faces that keep the network from forgetting: a packed dataset (its split train) or
    /// a replay file (see `fer replay`). Empty: the file beside the source model, of its name with
    /// the ending .replay.
    std::filesystem::path replay;
    /// Labelled faces that judge candidates: a packed dataset (its split valid) or a file of `fer
    /// replay`. Empty: the file beside the source model, of its name with the ending .canary.
    std::filesystem::path canary;
    /// Where the state and the models go, and from where learning goes on after a restart. Empty:
    /// nothing is kept, nor is it where another learner works in the folder. The model that serves
    /// is always `served.fer` there, replaced atomically, for another process to watch; what
    /// happened stands in `log.jsonl` (see LearnerLog).
    std::filesystem::path checkpoint_dir;
    OnlineConfig learning;  ///< How it learns.
    double max_cpu = 0.25;  ///< Share of one core, in (0, 16].
    int threads = 1;        ///< LibTorch's for learning.
    /// Learns only while nobody else wants the processor. False shares it like any other thread.
    bool idle_priority = true;
    std::size_t queue = 256;  ///< Faces that wait; more push out the oldest.
    std::chrono::milliseconds report_interval{1000};  ///< Least time between two on_report.
    int checkpoints = 5;                              ///< Candidates that are kept.
    std::chrono::seconds save_interval{300};          ///< Between two savings without a decision.
  };

  /// What happens, told on the learner's thread with none of its locks held. Called functions must
  /// not wait for the learner, nor drop the last pointer to it, and must not throw.
  struct Listener {
    /// Another model serves: its version, and its score on the canary.
    std::function<void(const std::string& version, double score)> on_updated;
    /// What was learnt since the last promotion was thrown away, or a serving model was: why.
    std::function<void(const std::string& reason)> on_rolled_back;
    /// While it learns, at most once in `report_interval`.
    std::function<void(const LearnerStats& stats)> on_report;
    /// Something went wrong, and learning goes on without it: a sentence with the file.
    std::function<void(const std::string& warning)> on_warning;
  };

  /// While it lives, its listener is told. Its destructor waits for a call under way.
  class FER_API Subscription {
   public:
    Subscription() = default;
    ~Subscription();
    Subscription(Subscription&&) noexcept;
    Subscription& operator=(Subscription&&) noexcept;

   private:
    friend class Learner;
    friend class Collector;
    std::shared_ptr<ListenerState> state_;
  };

  /// The learner of the slot of this name, made with `settings` where there is none yet (those of
  /// later comers are not looked at); it lives as long as somebody holds it. An empty name makes
  /// one that nobody else shares, with a slot of its own. Blocks while it reads the source model.
  /// Throws std::runtime_error: file, what was expected, what was found.
  ///
  /// The slot serves the source model when this returns. Labelled faces and checkpoints are read on
  /// the learner's thread; what a checkpoint says served before takes over once that is done, and
  /// faces that are offered meanwhile wait in the queue.
  /// Should somebody else swap a model into the slot later, the learner's next promotion takes over
  /// again.
  static std::shared_ptr<Learner> get(const std::string& slot, const Settings& settings);

  /// Asks the thread to end, waits for the step under way, and saves once more.
  ~Learner();
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;

  /// What the crops must look like (input size, channels, alignment template), and the labels.
  /// Never changes.
  const ModelInfo& info() const;
  /// The slot that it serves through.
  std::shared_ptr<ModelSlot> slot() const;

  /// Hands in a face. Never waits for learning. Where the queue is full, the oldest goes and is
  /// counted; while paused, this one does. False where it is not taken: paused, or a crop of
  /// another size than info() says.
  bool offer(FaceSample face) noexcept;

  /// Hands in a tracklet (stream/tracklet.h) that another machine made with the same lower half of
  /// the network, `age_s` seconds ago. Waits and counts as offer(). False where it is not taken.
  bool offer_evidence(Evidence evidence, std::int64_t age_s) noexcept;

  /// Hands in a face of the stream whose expression is known, by its name among info().labels. Five
  /// to twenty of each class are enough: they fit the head, set the thresholds and join the canary.
  /// Labelled faces are never pushed out of the queue. False where the face is not taken: a crop of
  /// another size, a label that the model does not know, nothing that learns, or 1,024 that wait.
  bool add_label(FaceSample face, const std::string& label);

  /// Remembered faces whose label would teach most, as label_picker.h picks them: at most `n`, none
  /// of `hidden` sources. The learner's thread picks them, between two steps; the future is
  /// empty-handed where nothing learns. Their pictures lie in memory alone.
  std::future<std::vector<LabelQuestion>> questions(std::size_t n,
                                                    std::set<std::string> hidden = {});

  /// Answers a question by a label, as add_label() takes it, and asks it no more: the tracklet
  /// leaves the memory, where the teacher would go on to label it. A head is fitted to the labels
  /// at once, and serves where the canary agrees. False as for add_label().
  bool answer(const LabelQuestion& question, const std::string& label);
  /// Answers a question without a label.
  void answer(const LabelQuestion& question, LabelAnswer answer);

  /// A source that ended or jumped: its tracklets end, so that what comes next is no part of them.
  void end_of(const std::string& source);

  /// Whether faces are taken and steps are done from now on.
  void pause(bool paused);
  /// As pause() left it.
  bool paused() const;
  /// Changes the budget from the next step on.
  void set_max_cpu(double max_cpu);

  /// These three ask the thread and return; listeners hear what came of it.
  void save();      ///< Writes a checkpoint now.
  void rollback();  ///< Serves what served before the last promotion, and learns on from there.
  void reset();     ///< Back to the source model; memory and thresholds are emptied.

  /// A snapshot of counts and scores.
  LearnerStats stats() const;

  /// The last warning that came before is told at once, on the calling thread.
  [[nodiscard]] Subscription subscribe(Listener listener);

  /// Waits until all faces offered before are looked at, every step they allow is done, and what
  /// was asked for is carried out. False after `timeout`. For tests, and for who must end in good
  /// order.
  bool drain(std::chrono::milliseconds timeout);

 private:
  class Impl;
  explicit Learner(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
