#include "stream/adapted_networks.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>

#include "model/device_name.h"
#include "tiny_learner.h"

namespace fer {
namespace {

class AdaptedNetworksTest : public testing::Test {
 protected:
  torch::Tensor images() const {
    torch::manual_seed(1);
    const NetworkConfig& config = model_.info.network;
    return torch::randn({8, config.channels, config.input_size, config.input_size});
  }
  /// One step of the student towards the first class.
  void learn(bool freeze_norm = true) {
    networks_.set_training_mode(freeze_norm);
    const torch::Tensor logits = networks_.student_logits(networks_.trunk(images()));
    torch::nn::functional::cross_entropy(logits, torch::zeros({8}, torch::kLong)).backward();
    networks_.step(0.1);
  }
  static bool same(const AdaptedNetworks::Tensors& a, const AdaptedNetworks::Tensors& b) {
    bool same = a.size() == b.size();
    for (const auto& [name, tensor] : a) same = same && tensor.equal(b.at(name));
    return same;
  }

  const ModelFile model_ = read_model(test::TinySource::get().model());
  AdaptedNetworks networks_{model_, /*split_point=*/1, /*momentum=*/0.9};
  const AdaptedNetworks::Tensors source_ = networks_.teacher_weights();
};

TEST_F(AdaptedNetworksTest, BeginsAsTheSource) {
  const torch::Tensor activations = networks_.trunk(images());
  const torch::Tensor logits = networks_.source_logits(activations);
  EXPECT_TRUE(networks_.teacher_logits(activations).equal(logits));
  EXPECT_TRUE(same(networks_.student_weights(), source_));
  // Below the split point nothing is kept: it never changes.
  EXPECT_EQ(source_.count("stem.weight"), 0U);
  EXPECT_EQ(source_.count("head.weight"), 1U);
  EXPECT_LT(source_.size(), model_.weights.size());
}

TEST_F(AdaptedNetworksTest, OnlyTheStudentLearns) {
  const torch::Tensor activations = networks_.trunk(images());
  const torch::Tensor before = networks_.source_logits(activations);
  learn();
  EXPECT_FALSE(same(networks_.student_weights(), source_));
  EXPECT_TRUE(same(networks_.teacher_weights(), source_));
  EXPECT_TRUE(networks_.source_logits(activations).equal(before));
  EXPECT_TRUE(networks_.trunk(images()).equal(activations));
}

TEST_F(AdaptedNetworksTest, NormalisationStatisticsStayWhereTheyAreFrozen) {
  const auto moved = [&] {
    bool moved = false;
    for (const auto& [name, tensor] : networks_.student_weights())
      if (name.ends_with("running_mean")) moved = moved || !tensor.equal(source_.at(name));
    return moved;
  };
  learn(/*freeze_norm=*/true);
  EXPECT_FALSE(moved());
  learn(/*freeze_norm=*/false);
  EXPECT_TRUE(moved());
}

TEST_F(AdaptedNetworksTest, TheTeacherIsAnAverage) {
  learn();
  const auto student = networks_.student_weights();
  networks_.average(0.75);
  const torch::Tensor expected =
      0.75 * source_.at("head.weight") + 0.25 * student.at("head.weight");
  EXPECT_TRUE(networks_.teacher_weights().at("head.weight").allclose(expected));
  networks_.average(0);
  EXPECT_TRUE(same(networks_.teacher_weights(), student));
}

TEST_F(AdaptedNetworksTest, ThePullGoesPartOfTheWayBack) {
  learn();
  const torch::Tensor learnt = networks_.student_weights().at("head.bias");
  networks_.anchor_to_source(0.25);
  EXPECT_TRUE(networks_.student_weights()
                  .at("head.bias")
                  .allclose(0.75 * learnt + 0.25 * source_.at("head.bias")));
}

TEST_F(AdaptedNetworksTest, StartsFromWeightsAtRest) {
  learn();
  networks_.average(0.5);
  networks_.start_from(source_);
  EXPECT_TRUE(same(networks_.student_weights(), source_));
  EXPECT_TRUE(same(networks_.teacher_weights(), source_));
  for (const auto& [name, velocity] : networks_.velocity())
    EXPECT_EQ(velocity.abs().max().item<float>(), 0) << name;
}

TEST_F(AdaptedNetworksTest, GoesOnFromWhatWasKept) {
  learn();
  networks_.average(0.5);
  AdaptedNetworks other(model_, 1, 0.9);
  other.set(networks_.student_weights(), networks_.teacher_weights(), networks_.velocity());
  EXPECT_TRUE(same(other.student_weights(), networks_.student_weights()));
  EXPECT_TRUE(same(other.teacher_weights(), networks_.teacher_weights()));
  EXPECT_TRUE(same(other.velocity(), networks_.velocity()));
}

TEST_F(AdaptedNetworksTest, ForgetsTheGradientsOfAPassThatFailed) {
  networks_.student_logits(networks_.trunk(images())).sum().backward();
  networks_.set_training_mode(/*freeze_norm=*/true);
  networks_.step(0.1);
  EXPECT_TRUE(same(networks_.student_weights(), source_));
}

TEST_F(AdaptedNetworksTest, AreTheSameOnADevice) {
  std::string device;
  try {
    device = resolve_device("cuda");
  } catch (const std::runtime_error& refused) {
    GTEST_SKIP() << refused.what();
  }
  AdaptedNetworks there(model_, 1, 0.9, torch::Device(device));
  const torch::Tensor activations = there.trunk(images());
  EXPECT_EQ(activations.device(), torch::Device(device));
  const auto compare = [&](const char* when) {
    const torch::Tensor here = networks_.teacher_logits(networks_.trunk(images()));
    const torch::Tensor logits = there.teacher_logits(there.trunk(images()));
    EXPECT_TRUE(logits.is_cpu());
    EXPECT_TRUE(logits.allclose(here, 1e-3, 1e-3)) << when;
  };
  compare("at the beginning");
  for (AdaptedNetworks* networks : {&networks_, &there}) {
    networks->set_training_mode(/*freeze_norm=*/true);
    const torch::Tensor logits = networks->student_logits(networks->trunk(images()));
    torch::nn::functional::cross_entropy(logits, torch::zeros({8}, torch::kLong)).backward();
    networks->step(0.1);
    networks->anchor_to_source(0.25);
    networks->average(0.5);
  }
  compare("after a step");
  // What is kept is in the processor's memory, and goes on from one to the other.
  there.set(networks_.student_weights(), networks_.teacher_weights(), networks_.velocity());
  for (const auto& [name, tensor] : there.teacher_weights()) {
    EXPECT_TRUE(tensor.is_cpu()) << name;
    EXPECT_TRUE(tensor.equal(networks_.teacher_weights().at(name))) << name;
  }
}

TEST_F(AdaptedNetworksTest, TellsWhereTheTeacherIsNoNumber) {
  EXPECT_TRUE(networks_.finite());
  auto broken = networks_.teacher_weights();
  broken.at("head.bias")[0] = std::numeric_limits<float>::quiet_NaN();
  networks_.set_teacher(broken);
  EXPECT_FALSE(networks_.finite());
}

}  // namespace
}  // namespace fer
