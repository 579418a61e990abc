// Adapting a model to faces as they come, faster than any stream.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "learn/data/packed_dataset.h"
#include "network/model_file.h"
#include "stream/online_learner.h"
#include "stream/tent.h"
#include "stream/watched_faces.h"

namespace fer {

/// What adapts a model.
class Adapter {
 public:
  virtual ~Adapter() = default;
  /// Learns from the faces at once. Throws Interrupted.
  virtual void take(std::vector<FaceSample> faces) = 0;
  /// No more faces come. Throws Interrupted.
  virtual void finish() {}
  /// The user wants no more: what was learnt so far is all.
  virtual void stop() {}
  virtual std::uint64_t steps() const = 0;
  /// Differs where another model serves than before, and that is worth a look.
  virtual std::string serving_state() const = 0;
  virtual ModelFile serving() const = 0;
};

/// Steps whenever the learner can, `max_steps` at most (0: no limit), and judges the last candidate
/// at the end.
class OnlineAdapter : public Adapter {
 public:
  OnlineAdapter(OnlineLearner& learner, int max_steps) : learner_(learner), most_(max_steps) {}

  void take(std::vector<FaceSample> faces) override;
  void finish() override;
  void stop() override;
  std::uint64_t steps() const override { return static_cast<std::uint64_t>(steps_); }
  std::string serving_state() const override { return learner_.stats().serving_version; }
  ModelFile serving() const override { return learner_.serving(); }

  const OnlineLearner& learner() const { return learner_; }
  /// Tells of a decision that somebody else asked for.
  void tell_decision() { tell(/*decided=*/true); }
  /// What the learner told of itself: at the start, now and then, at each decision and at the end.
  const std::vector<nlohmann::json>& told() const { return told_; }
  /// Of what it told, what came with a decision.
  const std::vector<nlohmann::json>& decisions() const { return decisions_; }

 private:
  void learn();
  void tell(bool decided);

  OnlineLearner& learner_;
  const int most_;
  int steps_ = 0, unjudged_ = 0;
  std::vector<nlohmann::json> told_, decisions_;
};

/// Tent serves whatever it has come to, and is looked at each 256 faces.
class TentAdapter : public Adapter {
 public:
  TentAdapter(const ModelFile& source, const TentConfig& config) : tent_(source, config) {}

  void take(std::vector<FaceSample> faces) override { tent_.observe(faces); }
  std::uint64_t steps() const override { return tent_.steps(); }
  std::string serving_state() const override { return std::to_string(tent_.steps() / kLookEvery); }
  ModelFile serving() const override { return tent_.adapted(); }

 private:
  static constexpr std::uint64_t kLookEvery = 4;  ///< Steps.
  Tent tent_;
};

/// Learns nothing: the source serves. What any adaptation must beat.
class NoAdapter : public Adapter {
 public:
  explicit NoAdapter(const ModelFile& source) : source_(source) {}

  void take(std::vector<FaceSample>) override {}
  std::uint64_t steps() const override { return 0; }
  std::string serving_state() const override { return source_.info.version; }
  ModelFile serving() const override { return source_; }

 private:
  const ModelFile source_;
};

/// Labelled faces to look at as a model adapts: of the stream's kind, and of what it was trained
/// on. Null: none.
struct Watched {
  std::unique_ptr<WatchedFaces> target, source;
  double prior_correction = 0;  ///< At which the target's faces are told, as ferinfer serves them.

  /// Of the model that serves: "faces" (so many were seen), "steps", "version", and for each kind
  /// that is watched "target" and "source" with "accuracy", "macro_recall" and "recall".
  nlohmann::json look(std::uint64_t faces, std::uint64_t steps, const ModelFile& serving);
};

/// Shows faces to an adapter, and what is watched to the models that come to serve.
class Adaptation {
 public:
  /// `watched` is looked at before the first face, whenever another model serves, and at the end.
  Adaptation(Adapter& adapter, Watched& watched);

  void take(std::vector<FaceSample> faces);
  void finish();
  /// As finish(), but learns no more.
  void stop();
  /// Looks now; `more` is added to the entry.
  void look(const nlohmann::json& more = nlohmann::json::object());

  std::uint64_t faces() const { return faces_; }
  /// One entry a look; empty where nothing is watched.
  const std::vector<nlohmann::json>& history() const { return history_; }

 private:
  Adapter& adapter_;
  Watched& watched_;
  std::uint64_t faces_ = 0;
  std::string serving_;  ///< When it was last looked at.
  std::vector<nlohmann::json> history_;
};

/// Takes rows as faces of the stream `name`, two seconds apart by its clock, so that each is a
/// piece of evidence of its own; each person is a track, and images on which no face was found,
/// where others have one, count as unsure.
void show_stills(Adaptation& adaptation, const std::string& name, const PackedDataset& images,
                 const std::vector<std::size_t>& rows,
                 const std::function<void(std::size_t done)>& on_progress);

}  // namespace fer
