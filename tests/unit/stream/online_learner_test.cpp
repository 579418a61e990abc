#include "stream/online_learner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "error_of.h"
#include "learn/run/checkpoint.h"
#include "learn/run/module_run.h"
#include "model/classifier.h"
#include "model/network_layout.h"
#include "model/stored_model.h"
#include "network/model_file.h"
#include "network/network.h"
#include "network/torch_weights.h"
#include "stream/write_latents.h"
#include "tiny_learner.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using Outcome = OnlineLearner::Outcome;
using test::error_of;
using test::stream_face;
using test::stream_faces;
using test::TinySource;
using testing::HasSubstr;

int sum(const std::vector<int>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0);
}

class OnlineLearnerTest : public testing::Test {
 protected:
  OnlineLearnerTest() : source_(read_model(TinySource::get().model())) {
    at::set_num_threads(1);
    config_ = test::tiny_online_config();
    config_.strength = 0.2;
  }

  std::unique_ptr<OnlineLearner> learner() const {
    const fs::path packed = TinySource::get().packed();
    return std::make_unique<OnlineLearner>(source_, OnlineLearner::Labelled{packed, packed},
                                           config_);
  }
  /// With a stream seen.
  std::unique_ptr<OnlineLearner> fed(int faces = 60) const {
    auto made = learner();
    made->observe(stream_faces(faces));
    made->end_of();
    return made;
  }

  /// Distance of the adapted weights (not statistics) from the source's.
  double moved(const ModelFile& model) const {
    double total = 0;
    for (const auto& [name, tensor] : model.weights) {
      if (name.find("running") != std::string::npos) continue;
      total += (tensor - source_.weights.at(name)).square().sum().item<double>();
    }
    return std::sqrt(total);
  }

  /// Share of right answers of a model on the stream's kind of faces.
  static double right_on_stream(const ModelFile& model, double dim) {
    Network network(model.info.network);
    copy_state(model.weights, *network, "test");
    network->eval();
    torch::NoGradGuard no_grad;
    int right = 0;
    const auto faces = stream_faces(150, 77, dim);
    for (std::size_t i = 0; i < faces.size(); ++i) {
      const torch::Tensor x =
          torch::tensor(faces[i].crop).to(torch::kFloat).view({1, 1, 16, 16}) / 255;
      const auto logits = network((x - model.info.mean) / model.info.stddev);
      right += logits.argmax(1).item<int>() == static_cast<int>(i % 3);
    }
    return right / 150.0;
  }

  ModelFile source_;
  OnlineConfig config_;
};

TEST_F(OnlineLearnerTest, StartsFromWhatTheCalibratedModelSays) {
  source_.info.calibration = {2, {0.5f, 0, -0.5f}};
  const auto made = learner();
  EXPECT_EQ(made->serving().info.calibration, source_.info.calibration);
  const ModelFile candidate = made->candidate();
  EXPECT_TRUE(candidate.info.calibration.is_identity()) << "it is in the head, which learns on";
  const auto crop = stream_faces(1)[0].crop;
  const auto said = Classifier(to_stored(candidate), Precision::kFp32).logits(crop);
  const auto expected = Classifier(to_stored(source_), Precision::kFp32).logits(crop);
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(said[k], expected[k], 1e-4) << k;
}

TEST_F(OnlineLearnerTest, LearnsFromAStreamAndServesIt) {
  config_.guards.prior = false;     // the tiny source knows all classes equally well …
  config_.distillation_weight = 0;  // … and none so well that it were worth keeping
  config_.learning_rate = 0.003;
  config_.max_class_share = 0.4;
  constexpr double kDim = 0.6;
  auto made = learner();
  made->observe(stream_faces(90, 1, kDim));
  made->end_of();
  EXPECT_EQ(made->serving().info.version, source_.info.version);
  int steps = 0, promotions = 0;
  while (made->can_step() && steps < 100) {
    made->step();
    ++steps;
    promotions += made->judge_if_due() == Outcome::kPromoted;
  }
  EXPECT_EQ(steps, 100);
  EXPECT_GT(promotions, 0);
  const ModelFile served = made->serving();
  EXPECT_EQ(served.info.parent, source_.info.version);
  EXPECT_NE(served.info.version, source_.info.version);
  EXPECT_FALSE(served.info.thresholds.is_null());
  const LearnerStats stats = made->stats();
  EXPECT_EQ(stats.serving_version, served.info.version);
  EXPECT_GE(stats.serving_score, stats.source_score - config_.canary_margin);
  EXPECT_LT(right_on_stream(source_, kDim), 0.9);
  EXPECT_GT(right_on_stream(served, kDim), 0.97);
}

TEST_F(OnlineLearnerTest, WouldFallForItsFavouriteClassWithoutTheCapOnItsShare) {
  config_.guards.prior = config_.guards.class_balance = false;
  config_.learning_rate = 0.003;
  config_.canary_interval = 1000;
  constexpr double kDim = 0.6;
  auto made = learner();
  made->observe(stream_faces(90, 1, kDim));
  made->end_of();
  for (int i = 0; i < 100; ++i) made->step();
  EXPECT_LT(right_on_stream(made->candidate(), kDim), 0.5);
}

TEST_F(OnlineLearnerTest, IsTheSameForASeed) {
  const auto version = [&](std::uint64_t seed) {
    config_.seed = seed;
    auto made = fed();
    for (int i = 0; i < 4; ++i) made->step();
    return made->candidate().info.version;
  };
  const std::string first = version(1);
  EXPECT_EQ(version(1), first);
  EXPECT_NE(version(2), first);
}

TEST_F(OnlineLearnerTest, GoesOnFromItsStateAsIfItHadNeverStopped) {
  const auto further = [](OnlineLearner& learner) {
    for (int i = 0; i < 13; ++i) {
      learner.step();
      learner.judge_if_due();
    }
    learner.observe(stream_faces(20, 9));
    learner.end_of();
    learner.step();
  };
  for (const char* policy : {"dta:t-min=0.6", "flex"}) {
    config_.threshold_policy = policy;
    auto whole = fed();
    for (int i = 0; i < 12; ++i) {
      whole->step();
      whole->judge_if_due();
    }
    const test::ScopedFolder folder;
    write_checkpoint(folder.path() / "state", whole->state());
    auto other = learner();
    other->restore(read_checkpoint(folder.path() / "state"));
    EXPECT_EQ(nlohmann::json(other->stats())["classes"], nlohmann::json(whole->stats())["classes"]);
    EXPECT_EQ(other->serving().info.version, whole->serving().info.version);
    further(*whole);
    further(*other);
    EXPECT_EQ(other->candidate().info.version, whole->candidate().info.version) << policy;
    EXPECT_EQ(other->stats().steps, 26u);
    EXPECT_EQ(other->stats().memory, whole->stats().memory);
    EXPECT_EQ(other->stats().promotions, whole->stats().promotions);
  }
}

TEST_F(OnlineLearnerTest, KeepsNoPictureUnlessItIsAskedTo) {
  const auto bytes = [&](SampleStore store, const char* tensor) {
    config_.store = store;
    auto made = fed();
    made->add_label(stream_faces(1)[0], 0);
    const Checkpoint kept = made->state();
    const auto it = kept.tensors.find(tensor);
    return it == kept.tensors.end() ? 0 : it->second.numel();
  };
  EXPECT_GT(bytes(SampleStore::kCrops, "memory"), 0);
  EXPECT_EQ(bytes(SampleStore::kLatents, "memory"), 0);
  EXPECT_GT(bytes(SampleStore::kLatents, "memory.latents"), 0);
  EXPECT_GT(bytes(SampleStore::kLatents, "labels.bytes"), 0);
  for (const char* tensor : {"memory", "memory.latents", "memory.features", "labels.features"})
    EXPECT_EQ(bytes(SampleStore::kNothing, tensor), 0) << tensor;
  // Activations of the stem alone are nearly a picture.
  config_.frozen_blocks = 0;
  EXPECT_EQ(bytes(SampleStore::kLatents, "memory.latents"), 0);
}

TEST_F(OnlineLearnerTest, LearnsOnFromLatentsAfterARestart) {
  config_.store = SampleStore::kLatents;
  auto whole = fed();
  whole->add_label(stream_faces(1)[0], 0);
  auto other = learner();
  other->restore(whole->state());
  EXPECT_EQ(other->stats().memory, whole->stats().memory);
  EXPECT_EQ(other->stats().labels, 1u);
  ASSERT_TRUE(other->can_step());
  const OnlineLearner::Step step = other->step();
  EXPECT_EQ(step.rows, config_.batch);
  EXPECT_GT(step.loss, 0);
  EXPECT_GT(moved(other->candidate()), 0);
}

TEST_F(OnlineLearnerTest, ForgetsFacesThatAreTooOld) {
  auto made = fed();
  Checkpoint kept = made->state();
  for (auto& item : kept.state["items"]) item["added_s"] = item["added_s"].get<std::int64_t>() - 90;
  config_.max_sample_age = 100;
  auto patient = learner();
  patient->restore(kept);
  EXPECT_EQ(patient->stats().memory, made->stats().memory);
  config_.max_sample_age = 80;
  auto strict = learner();
  strict->restore(kept);
  EXPECT_EQ(strict->stats().memory, 0);
  config_.max_sample_age = 0;
  auto never = learner();
  never->restore(kept);
  EXPECT_EQ(never->stats().memory, made->stats().memory);
}

TEST_F(OnlineLearnerTest, SaysWhyItTookNoStep) {
  auto made = fed(4);
  EXPECT_EQ(made->stats().reason, "4 of the 6 tracklets that a first step needs are remembered");
  FaceSample blurred = stream_faces(1)[0];
  std::fill(blurred.crop.begin(), blurred.crop.end(), std::uint8_t{100});
  made->observe({blurred});
  EXPECT_THAT(made->stats().reason, HasSubstr("; refused: 1 blurred"));
}

/// The stream's faces are dim: the source's head errs on them, while its features tell them apart.
TEST_F(OnlineLearnerTest, ServesPrototypesWithoutTouchingTheWeightsBelow) {
  config_.prototypes.enabled = true;
  config_.prototypes.mix = 0.5;
  config_.gradient_steps = false;
  auto made = learner();
  made->observe(stream_faces(90, 1, 0.6));
  made->end_of();
  ASSERT_TRUE(made->can_step());
  made->step();
  EXPECT_EQ(made->judge_now(), Outcome::kPromoted);
  EXPECT_THAT(made->stats().reason, HasSubstr("prototypes of 90 faces"));
  const ModelFile served = made->serving();
  for (const auto& [name, tensor] : source_.weights) {
    const bool same = torch::equal(served.weights.at(name), tensor);
    EXPECT_EQ(same, !name.starts_with("head.")) << name;
  }
  // The same faces make the same head: there is nothing new to serve.
  EXPECT_EQ(made->judge_now(), Outcome::kKept);
  EXPECT_THAT(made->stats().reason, HasSubstr("serves already"));
  // Reset at once.
  EXPECT_TRUE(made->rollback());
  EXPECT_EQ(made->serving().info.version, source_.info.version);
}

TEST_F(OnlineLearnerTest, LearnsFromAFewLabelsWithoutAStep) {
  config_.gradient_steps = false;
  config_.prototypes.enabled = true;
  config_.prototypes.mix = 0;
  config_.canary_margin = 0.1;
  constexpr double kDim = 0.6;
  auto made = learner();
  const auto faces = stream_faces(30, 5, kDim);
  for (std::size_t i = 0; i < faces.size(); ++i) made->add_label(faces[i], static_cast<int>(i % 3));
  EXPECT_EQ(made->stats().labels, 30u);
  EXPECT_EQ(made->judge_now(), Outcome::kPromoted);
  EXPECT_THAT(made->stats().reason, HasSubstr("30 labelled faces of the stream"));
  EXPECT_GT(right_on_stream(made->serving(), kDim), right_on_stream(source_, kDim) + 0.05);
  EXPECT_THROW(made->add_label(faces[0], 3), std::invalid_argument);
}

TEST_F(OnlineLearnerTest, RefusesAStateThatIsNotItsOwn) {
  auto made = fed();
  made->step();
  const Checkpoint good = made->state();
  const std::string before = made->candidate().info.version;
  const auto refused = [&](auto change) {
    Checkpoint state = good;
    change(state);
    return error_of([&] { made->restore(state); });
  };
  EXPECT_EQ(refused([](Checkpoint&) {}), "");
  EXPECT_THAT(refused([](Checkpoint& s) { s.state["source"] = "another"; }),
              HasSubstr("belongs to model another"));
  EXPECT_THAT(refused([](Checkpoint& s) { s.state["split_point"] = 2; }), HasSubstr("split point"));
  EXPECT_THAT(refused([](Checkpoint& s) { s.state.erase("counts"); }), HasSubstr("broken"));
  EXPECT_THAT(refused([](Checkpoint& s) { s.tensors.erase("teacher.head.bias"); }),
              HasSubstr("teacher.head.bias"));
  EXPECT_THAT(
      refused([](Checkpoint& s) { s.tensors["memory"] = s.tensors["memory"].narrow(0, 0, 50); }),
      HasSubstr("shorter than it says"));
  EXPECT_THAT(refused([](Checkpoint& s) { s.state["items"][0]["label"] = 99; }),
              HasSubstr("does not fit"));
  EXPECT_THAT(refused([](Checkpoint& s) { s.state["share"] = {1.0}; }), HasSubstr("other classes"));
  EXPECT_EQ(made->candidate().info.version, before);
}

TEST_F(OnlineLearnerTest, CountsWhatItRefuses) {
  auto made = learner();
  auto faces = stream_faces(3);
  faces[0].confidence = 0.1f;
  faces[1].face_size = 5;
  made->observe(std::move(faces));
  made->end_of();
  const LearnerStats stats = made->stats();
  EXPECT_EQ(stats.refused.at("unsure"), 1u);
  EXPECT_EQ(stats.refused.at("small"), 1u);
  EXPECT_EQ(stats.faces, 1u);
  EXPECT_EQ(stats.memory, 1);
  FaceSample odd;
  odd.crop.resize(7);
  EXPECT_THROW(made->observe({odd}), std::invalid_argument);
}

TEST_F(OnlineLearnerTest, LearnsNothingFromASourceThatShowsNothingKnown) {
  config_.max_unsure = 0.2;
  // Half one class's face, half another's: there is no such face.
  Random random(5);
  std::vector<FaceSample> strange;
  for (int i = 0; i < 200; ++i) {
    const std::int64_t time = static_cast<std::int64_t>(i) * 2'000'000'000;
    strange.push_back(stream_face(i % 3, random, i, time, 0, "wall"));
    const FaceSample other = stream_face((i + 1) % 3, random, i, time, 0);
    for (std::size_t k = 0; k < other.crop.size(); ++k) {
      strange.back().crop[k] =
          static_cast<std::uint8_t>((strange.back().crop[k] + other.crop[k]) / 2);
    }
  }
  const auto remembered = [&](const std::vector<FaceSample>& faces) {
    auto made = learner();
    made->observe(faces);
    made->end_of();
    const LearnerStats stats = made->stats();
    const auto refused = stats.refused.find("unfamiliar");
    return std::pair{stats.memory, refused == stats.refused.end() ? 0 : refused->second};
  };
  const auto [kept, refused] = remembered(strange);
  EXPECT_GT(refused, 100u);
  // Another stream is nobody's business, and known faces are learnt from.
  std::vector<FaceSample> both = strange;
  for (const FaceSample& face : stream_faces(30, 1, 0)) both.push_back(face);
  EXPECT_EQ(remembered(both).first, kept + 30);
  EXPECT_EQ(remembered(both).second, refused);

  config_.guards.ood_gate = false;
  const auto without = remembered(strange);
  EXPECT_EQ(without.second, 0u);
  EXPECT_GT(without.first, kept);
}

TEST_F(OnlineLearnerTest, TakesOnlySoManyDrawsOfWhatItRemembers) {
  config_.reuse = 2;
  auto made = fed(60);  // 120 draws: ten batches of 12
  int steps = 0;
  for (; made->can_step() && steps < 100; ++steps) made->step();
  EXPECT_EQ(steps, 10);
  made->observe(stream_faces(6, 3));
  made->end_of();
  EXPECT_TRUE(made->can_step());
}

TEST_F(OnlineLearnerTest, WaitsUntilItRemembersEnough) {
  config_.min_memory = 20;
  auto made = learner();
  made->observe(stream_faces(19));
  made->end_of();
  EXPECT_FALSE(made->can_step());
  made->observe(stream_faces(2, 5));
  made->end_of();
  EXPECT_TRUE(made->can_step());
}

// Each guard, and what happens without it.

TEST_F(OnlineLearnerTest, TakesATrackletAsOnePieceOfEvidence) {
  const auto remembered = [&](bool guard) {
    config_.guards.tracklets = guard;
    config_.memory.per_identity = 100;
    auto made = learner();
    Random random(1);
    std::vector<FaceSample> faces;
    for (int i = 0; i < 25; ++i) faces.push_back(stream_face(0, random, 1, i * 40'000'000));
    made->observe(std::move(faces));
    made->end_of();
    return made->stats().memory;
  };
  EXPECT_EQ(remembered(true), 1);
  EXPECT_EQ(remembered(false), 25);
}

TEST_F(OnlineLearnerTest, RemembersOnlySoMuchOfOneIdentity) {
  const auto remembered = [&](bool guard) {
    config_.guards.memory = guard;
    config_.memory.per_identity = 4;
    auto made = learner();
    Random random(1);
    std::vector<FaceSample> faces;
    for (int i = 0; i < 40; ++i) faces.push_back(stream_face(0, random, 1, i * 2'000'000'000LL));
    made->observe(std::move(faces));
    made->end_of();
    return made->stats().memory;
  };
  EXPECT_EQ(remembered(true), 4);
  EXPECT_EQ(remembered(false), 40);
}

TEST_F(OnlineLearnerTest, ReplaysAtLeastHalfOfEachBatch) {
  EXPECT_EQ(fed()->step().labelled_rows, 12);
  config_.replay_share = 0.75;
  const auto more = fed()->step();
  EXPECT_EQ(more.labelled_rows, 36);
  EXPECT_GT(more.loss_x, 0);
  config_.guards.replay = false;
  const auto without = fed()->step();
  EXPECT_EQ(without.labelled_rows, 0);
  EXPECT_EQ(without.loss_x, 0);
}

TEST_F(OnlineLearnerTest, TeacherIsSlowerThanTheStudent) {
  config_.guards.weight_anchor = false;
  auto slow = fed();
  slow->step();
  config_.guards.teacher = false;
  auto quick = fed();
  quick->step();
  const double with = moved(slow->candidate()), without = moved(quick->candidate());
  EXPECT_GT(with, 0);
  EXPECT_NEAR(with / without, 1 - config_.ema, 1e-3);
}

TEST_F(OnlineLearnerTest, FreezesTheStatisticsOfNormalisation) {
  const auto same = [&](bool guard) {
    config_.guards.freeze_norm = guard;
    auto made = fed();
    for (int i = 0; i < 3; ++i) made->step();
    const ModelFile model = made->candidate();
    bool equal = true;
    for (const auto& [name, tensor] : model.weights)
      if (name.find("running") != std::string::npos)
        equal = equal && torch::equal(tensor, source_.weights.at(name));
    return equal;
  };
  EXPECT_TRUE(same(true));
  EXPECT_FALSE(same(false));
}

TEST_F(OnlineLearnerTest, LeavesTheLowerHalfAlone) {
  auto made = fed();
  for (int i = 0; i < 3; ++i) made->step();
  int changed = 0;
  for (const auto& [name, tensor] : made->candidate().weights) {
    const bool same = torch::equal(tensor, source_.weights.at(name));
    const bool below = name.starts_with("stem") || name.starts_with(block_name(0, 0) + ".");
    EXPECT_TRUE(same || !below) << name;
    changed += !same;
  }
  EXPECT_GT(changed, 4);
}

TEST_F(OnlineLearnerTest, CapsTheShareOfAClass) {
  const auto accepted = [&](bool guard) {
    config_.guards.class_balance = guard;
    config_.max_class_share = 0.4;
    config_.threshold_policy = "dta:t-min=0.6";  // lets through what is surely of the one class
    auto made = learner();
    Random random(1);
    std::vector<FaceSample> faces;
    for (int i = 0; i < 60; ++i) faces.push_back(stream_face(1, random, i, i * 2'000'000'000LL, 0));
    made->observe(std::move(faces));
    made->end_of();
    int all = 0;
    for (int i = 0; i < 10; ++i) all += sum(made->step().accepted);
    return all;
  };
  EXPECT_LE(accepted(true), 20);
  EXPECT_GT(accepted(false), 60);
}

TEST_F(OnlineLearnerTest, RulesClassesOutOnlyWhereATrackletAgreesWithItself) {
  const auto negatives = [&](bool guard, int others) {
    config_.guards.agreement = guard;
    config_.negative_policy = "argmin";
    config_.threshold_policy = "fixed:tau=1";
    config_.min_memory = 1;
    auto made = learner();
    Random random(1);
    std::vector<FaceSample> faces;
    for (int track = 0; track < 6; ++track) {
      for (int i = 0; i < 7; ++i)
        faces.push_back(stream_face(i < 7 - others ? 0 : 2, random, track,
                                    track * 3'000'000'000LL + i * 40'000'000, 0));
    }
    made->observe(std::move(faces));
    made->end_of();
    EXPECT_EQ(made->stats().memory, 6);
    return made->step().negatives;
  };
  EXPECT_EQ(negatives(true, 3), 0);
  EXPECT_EQ(negatives(false, 3), 12);
  EXPECT_EQ(negatives(true, 0), 12);
}

TEST_F(OnlineLearnerTest, PullsBackToTheSource) {
  const auto distance = [&](bool guard) {
    config_.guards.weight_anchor = guard;
    config_.weight_anchor = 0.3;
    auto made = fed();
    for (int i = 0; i < 10; ++i) made->step();
    return moved(made->candidate());
  };
  EXPECT_LT(distance(true), 0.7 * distance(false));
}

TEST_F(OnlineLearnerTest, ServesNoCandidateThatTheCanaryRefuses) {
  const auto ruined = [&](bool guard) {
    config_.guards.canary = guard;
    config_.guards.replay = config_.guards.weight_anchor = config_.guards.teacher = false;
    config_.guards.class_balance = false;
    config_.threshold_policy = "fixed:tau=0";
    config_.learning_rate = 0.5;
    auto made = learner();
    Random random(1);
    std::vector<FaceSample> faces;
    for (int i = 0; i < 30; ++i) faces.push_back(stream_face(1, random, i, i * 2'000'000'000LL, 0));
    made->observe(std::move(faces));
    made->end_of();
    for (int i = 0; i < 10; ++i) made->step();
    made->judge_now();
    return made;
  };
  const auto guarded = ruined(true);
  EXPECT_EQ(guarded->serving().info.version, source_.info.version);
  LearnerStats stats = guarded->stats();
  EXPECT_EQ(stats.decision, "rolled back");
  EXPECT_THAT(stats.reason, HasSubstr("macro recall"));
  EXPECT_EQ(stats.rollbacks, 1u);
  // It goes on from what serves, more carefully.
  EXPECT_EQ(moved(guarded->candidate()), 0);
  EXPECT_EQ(stats.learning_rate, 0.25);
  EXPECT_GT(stats.memory, 0);
  for (int i = 0; i < 10; ++i) guarded->step();
  EXPECT_EQ(guarded->judge_now(), Outcome::kRolledBack);
  // Twice misled: what is remembered is at fault.
  EXPECT_EQ(guarded->stats().memory, 0);
  EXPECT_FALSE(guarded->can_step());

  const auto unguarded = ruined(false);
  EXPECT_NE(unguarded->serving().info.version, source_.info.version);
  stats = unguarded->stats();
  EXPECT_LT(stats.serving_score, stats.source_score - config_.rollback_margin);
}

TEST_F(OnlineLearnerTest, KeepsAGoodHeadWhereGradientStepsAreRolledBack) {
  config_.prototypes.enabled = true;
  config_.prototypes.mix = 0.5;
  config_.guards.replay = config_.guards.weight_anchor = config_.guards.teacher = false;
  config_.guards.class_balance = config_.guards.part_way = false;
  config_.threshold_policy = "fixed:tau=0";
  config_.learning_rate = 1;
  config_.rollback_margin = config_.canary_margin;
  auto made = learner();
  made->observe(stream_faces(90, 1, 0.6));
  made->end_of();
  for (int i = 0; i < 30; ++i) made->step();
  EXPECT_EQ(made->judge_now(), Outcome::kPromoted);
  const LearnerStats stats = made->stats();
  EXPECT_THAT(stats.reason, testing::AllOf(HasSubstr("prototypes of 90 faces"),
                                           HasSubstr("gradient steps are rolled back: ")));
  EXPECT_EQ(stats.promotions, 1u);
  EXPECT_EQ(stats.rollbacks, 1u);
  EXPECT_EQ(stats.learning_rate, 0.5);
  // Learning goes on from the head that serves.
  const ModelFile served = made->serving();
  EXPECT_NE(served.info.version, source_.info.version);
  EXPECT_EQ(made->candidate().info.version, served.info.version);
  EXPECT_GT(stats.memory, 0);
}

TEST_F(OnlineLearnerTest, SaysWhatItsOwnProbabilitiesAreWorth) {
  source_.info.operating_points = {0.5f, 0.5f, std::numeric_limits<float>::infinity()};
  auto made = learner();
  EXPECT_EQ(made->candidate().info.operating_points, source_.info.operating_points)
      << "nothing was learnt yet";
  made->observe(stream_faces(60));
  made->end_of();
  for (int i = 0; i < 10; ++i) made->step();
  const ModelFile candidate = made->candidate();
  ASSERT_EQ(candidate.info.operating_points.size(), 3u);
  for (std::size_t k = 0; k < 3; ++k)
    EXPECT_GE(candidate.info.operating_points[k], source_.info.operating_points[k]);
  // What a file of it says is what it says here, so that its version holds.
  EXPECT_EQ(version_of(candidate), candidate.info.version);
}

TEST_F(OnlineLearnerTest, ServesAPartOfTheWayWhereAllOfItLosesTooMuch) {
  // It learns that all is one class, and loses a face after the other.
  config_.guards.replay = config_.guards.weight_anchor = config_.guards.class_balance = false;
  config_.guards.prior = false;
  config_.threshold_policy = "fixed:tau=0";
  config_.canary_margin = 0.001;
  config_.rollback_margin = 1;
  const auto first_loss = [&](bool guard) {
    config_.guards.part_way = guard;
    auto made = learner();
    Random random(1);
    std::vector<FaceSample> faces;
    for (int i = 0; i < 60; ++i) faces.push_back(stream_face(1, random, i, i * 2'000'000'000LL));
    made->observe(std::move(faces));
    made->end_of();
    for (int i = 0; i < 200; ++i) {
      made->step();
      made->judge_now();
      const LearnerStats stats = made->stats();
      EXPECT_GE(stats.serving_score, stats.source_score - config_.canary_margin);
      if (stats.decision == "kept" || stats.reason.find("of the way") != std::string::npos)
        return stats;
    }
    return LearnerStats();
  };
  const LearnerStats without = first_loss(false), with = first_loss(true);
  EXPECT_EQ(without.decision, "kept");
  EXPECT_EQ(with.steps, without.steps);
  EXPECT_EQ(with.decision, "promoted");
  EXPECT_EQ(with.serving_version, with.candidate_version);
  EXPECT_THAT(with.reason, HasSubstr("of the way: on the canary"));
}

TEST_F(OnlineLearnerTest, OpensClassesThatTheSourceNeverPredicts) {
  // A source that has hardly seen the third class.
  source_.weights["head.bias"] = source_.weights["head.bias"] + torch::tensor({0.f, 0.f, -12.f});
  source_.info.prior = {0.499997f, 0.499997f, 0.000006f};
  const auto proposed = [&](bool guard) {
    config_.guards.prior = guard;
    config_.prior_correction = 1;
    auto made = learner();
    made->observe(stream_faces(60, 1, 0.1));
    made->end_of();
    int all = 0;
    for (int i = 0; i < 3; ++i) all += made->step().accepted[2];
    return all;
  };
  EXPECT_EQ(proposed(false), 0);
  EXPECT_GT(proposed(true), 0);
}

TEST_F(OnlineLearnerTest, DoesNotCollapseAtItsOwnStepSize) {
  const OnlineConfig defaults;
  config_.learning_rate = defaults.learning_rate;
  config_.ema = defaults.ema;
  config_.canary_interval = 1000;
  auto made = learner();
  Random random(1);
  std::vector<FaceSample> faces;  // one expression, and nothing else
  for (int i = 0; i < 60; ++i) faces.push_back(stream_face(1, random, i, i * 2'000'000'000LL));
  made->observe(std::move(faces));
  made->end_of();
  for (int i = 0; i < 100; ++i) made->step();
  made->judge_now();
  EXPECT_GE(made->stats().candidate_score, made->stats().source_score - 0.02);
}

TEST_F(OnlineLearnerTest, IsAnchoredToWhatTheSourceSays) {
  config_.threshold_policy = "fixed:tau=1";  // the replay alone teaches
  config_.negative_policy = "none";
  config_.guards.weight_anchor = false;
  // A source that prefers a class, which labels would talk it out of.
  source_.weights["head.bias"] = source_.weights["head.bias"] + torch::tensor({2.f, 0.f, 0.f});
  const auto distance = [&](double anchor) {
    config_.distillation_weight = anchor;
    auto made = fed();
    for (int i = 0; i < 20; ++i) made->step();
    return moved(made->candidate());
  };
  EXPECT_LT(distance(1), 0.5 * distance(0));
}

TEST_F(OnlineLearnerTest, KeepsTheSourcesPriorThroughAReplayThatHasNone) {
  config_.threshold_policy = "fixed:tau=1";  // the replay alone teaches
  config_.negative_policy = "none";
  config_.guards.weight_anchor = false;
  config_.learning_rate = 0.1;
  source_.info.prior = {0.9f, 0.05f, 0.05f};
  config_.distillation_weight = 0;
  const auto common = [&](double keep) {
    config_.keep_prior = keep;
    auto made = fed();
    for (int i = 0; i < 30; ++i) made->step();
    const ModelFile learnt = made->candidate();
    Network network(learnt.info.network);
    copy_state(learnt.weights, *network, "test");
    network->eval();
    torch::NoGradGuard no_grad;
    // A face that says little of what it shows.
    return torch::softmax(network(torch::zeros({1, 1, 16, 16})), 1)[0][0].item<double>();
  };
  EXPECT_GT(common(1), common(0) + 0.05);
}

// What its user asks for.

TEST_F(OnlineLearnerTest, KeepsWhatLearntNothingOfTheStream) {
  config_.threshold_policy = "fixed:tau=1";
  auto made = fed();
  for (int i = 0; i < 10; ++i) made->step();
  EXPECT_EQ(made->judge_if_due(), Outcome::kKept);
  EXPECT_THAT(made->stats().reason, HasSubstr("nothing of the stream was accepted"));
  EXPECT_EQ(made->judge_if_due(), std::nullopt);
}

TEST_F(OnlineLearnerTest, RollsBackToWhatServedBefore) {
  config_.guards.canary = false;
  auto made = fed();
  EXPECT_FALSE(made->rollback());
  std::vector<std::string> versions{source_.info.version};
  std::vector<ModelFile> served;
  for (int i = 0; i < 3; ++i) {
    made->step();
    ASSERT_EQ(made->judge_now(), Outcome::kPromoted);
    versions.push_back(made->serving().info.version);
    served.push_back(made->serving());
  }
  const Checkpoint state = made->state();
  EXPECT_TRUE(made->rollback());
  EXPECT_EQ(made->serving().info.version, versions[2]);
  EXPECT_EQ(made->candidate().info.version, versions[2]);
  EXPECT_TRUE(made->rollback());
  EXPECT_TRUE(made->rollback());
  EXPECT_EQ(made->serving().info.version, versions[0]);
  EXPECT_FALSE(made->rollback());
  // After a restart, with the models that were kept.
  auto other = learner();
  other->restore(state);
  other->restore_history(served);
  EXPECT_TRUE(other->rollback());
  EXPECT_EQ(other->serving().info.version, versions[2]);
}

TEST_F(OnlineLearnerTest, ForgetsEverythingOnReset) {
  config_.guards.canary = false;
  auto made = fed();
  for (int i = 0; i < 5; ++i) made->step();
  made->judge_now();
  made->reset();
  EXPECT_EQ(made->serving().info.version, source_.info.version);
  EXPECT_EQ(moved(made->candidate()), 0);
  const LearnerStats stats = made->stats();
  EXPECT_EQ(stats.memory, 0);
  EXPECT_EQ(stats.classes[0].accepted, 0u);
  EXPECT_EQ(stats.decision, "reset");
  EXPECT_EQ(stats.steps, 5u);
  EXPECT_FALSE(made->can_step());
}

TEST_F(OnlineLearnerTest, LearnsFromLatentsToo) {
  const test::ScopedFolder folder;
  const PackedDataset data(TinySource::get().packed());
  write_latents(folder.path() / "m.replay", source_, 1, data, "train", 30, 1);
  write_latents(folder.path() / "m.canary", source_, 1, data, "valid", 20, 1);
  config_.frozen_blocks = -1;  // as the file says
  const auto labelled = OnlineLearner::Labelled{}.or_beside(folder.path() / "m.fer");
  EXPECT_EQ(labelled.replay, folder.path() / "m.replay");
  OnlineLearner made(source_, labelled, config_);
  made.observe(stream_faces(60));
  made.end_of();
  for (int i = 0; i < 10; ++i) made.step();
  EXPECT_EQ(made.judge_now(), Outcome::kPromoted) << made.stats().reason;
  EXPECT_THAT(error_of([&] {
                OnlineLearner({source_}, {labelled.replay, labelled.replay}, config_);
              }),
              HasSubstr("found latents"));
}

TEST_F(OnlineLearnerTest, AsksForLabelledFaces) {
  const fs::path packed = TinySource::get().packed();
  EXPECT_THAT(error_of([&] { OnlineLearner(source_, {}, config_); }), HasSubstr("as replay"));
  EXPECT_THAT(error_of([&] {
                OnlineLearner(source_, {packed, {}}, config_);
              }),
              HasSubstr("as canary"));
  EXPECT_THAT(error_of([&] {
                OnlineLearner(source_, {packed, packed / "no"}, config_);
              }),
              HasSubstr("no"));
  config_.guards.replay = config_.guards.canary = false;
  EXPECT_EQ(error_of([&] { OnlineLearner(source_, {}, config_); }), "");
}

}  // namespace
}  // namespace fer
