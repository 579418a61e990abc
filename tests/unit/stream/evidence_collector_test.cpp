#include "stream/evidence_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "error_of.h"
#include "learn/run/checkpoint.h"
#include "model/stored_model.h"
#include "network/model_file.h"
#include "stream/online_learner.h"
#include "tiny_learner.h"

namespace fer {
namespace {

using test::stream_faces;
using test::TinySource;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

OnlineConfig latents_config() {
  OnlineConfig config = test::tiny_online_config();
  config.store = SampleStore::kLatents;
  return config;
}

LowerHalf half_of(const std::filesystem::path& model) {
  return lower_half_of(model, TinySource::get().packed(), 1);
}

class EvidenceCollectorTest : public testing::Test {
 protected:
  const TinySource& source_ = TinySource::get();
  const LowerHalf half_ = half_of(source_.model());
  EvidenceCollector collector_{source_.model(), half_, latents_config()};
};

TEST_F(EvidenceCollectorTest, MakesEvidenceOfLatentsWithoutPictures) {
  std::vector<Evidence> evidence = collector_.observe(stream_faces(12));
  for (Evidence& one : collector_.end_of()) evidence.push_back(std::move(one));
  ASSERT_THAT(evidence, SizeIs(12));
  for (const Evidence& one : evidence) {
    EXPECT_THAT(one.crops, IsEmpty());
    EXPECT_EQ(one.latents.bytes.size(), half_.activations);
    EXPECT_EQ(one.latents.features.size(), half_.features);
    EXPECT_EQ(one.mean.size(), half_.classes);
    EXPECT_GT(one.latents.scale, 0);
  }
  EXPECT_EQ(collector_.counts().faces, 12u);
  EXPECT_EQ(collector_.counts().tracklets, 12u);
}

TEST_F(EvidenceCollectorTest, GatesFacesAsALearnerDoes) {
  auto faces = stream_faces(3);
  faces[0].confidence = 0.1f;
  faces[1].crop.assign(faces[1].crop.size(), 0);
  collector_.observe(std::move(faces));
  EXPECT_THAT(collector_.end_of(), SizeIs(1));
  EXPECT_EQ(collector_.counts().refused.at("unsure"), 1u);
  EXPECT_EQ(collector_.counts().refused.at("dark"), 1u);
}

TEST_F(EvidenceCollectorTest, WhatItMakesTeachesALearnerElsewhere) {
  OnlineLearner learner(read_model(source_.model()), {source_.packed(), source_.packed()},
                        latents_config());
  for (Evidence& one : collector_.observe(stream_faces(40))) learner.take(std::move(one), 0);
  EXPECT_EQ(learner.stats().tracklets, 39u);
  ASSERT_TRUE(learner.can_step());
  EXPECT_GT(learner.step().rows, 0);
}

TEST_F(EvidenceCollectorTest, ALearnerForgetsOldEvidenceByItsAge) {
  OnlineConfig config = latents_config();
  config.max_sample_age = 100;
  OnlineLearner learner(read_model(source_.model()), {source_.packed(), source_.packed()}, config);
  auto evidence = collector_.observe(stream_faces(3));
  ASSERT_THAT(evidence, SizeIs(2));
  learner.take(std::move(evidence[0]), 0);
  learner.take(std::move(evidence[1]), 500);
  EXPECT_EQ(learner.stats().memory, 2);
  learner.expire();
  EXPECT_EQ(learner.stats().memory, 1);
}

TEST_F(EvidenceCollectorTest, ALearnerRefusesEvidenceOfAnotherShape) {
  OnlineLearner learner(read_model(source_.model()), {source_.packed(), source_.packed()},
                        latents_config());
  Evidence evidence = collector_.observe(stream_faces(2)).front();
  evidence.latents.bytes.pop_back();
  EXPECT_THROW(learner.take(std::move(evidence), 0), std::invalid_argument);
}

TEST_F(EvidenceCollectorTest, NeedsLatents) {
  EXPECT_THAT(test::error_of(
                  [&] { EvidenceCollector(source_.model(), half_, test::tiny_online_config()); }),
              HasSubstr("store=latents"));
}

TEST(LowerHalf, IsNamedByItsWeightsAlone) {
  const auto& source = TinySource::get();
  const LowerHalf mine = half_of(source.model());
  EXPECT_EQ(mine.blocks, 1);
  StoredModel model = read_stored_model(source.model());
  for (auto& [name, tensor] : model.weights) {
    if (name.starts_with("head"))
      for (float& weight : tensor.values) weight *= 2;
  }
  const auto adapted = source.folder() / "adapted.fer", other = source.folder() / "other.fer";
  write_stored_model(adapted, model);
  EXPECT_EQ(half_of(adapted).hash, mine.hash);
  for (auto& [name, tensor] : model.weights) {
    if (name.starts_with("stem"))
      for (float& weight : tensor.values) weight *= 2;
  }
  write_stored_model(other, model);
  EXPECT_NE(half_of(other).hash, mine.hash);
}

}  // namespace
}  // namespace fer
