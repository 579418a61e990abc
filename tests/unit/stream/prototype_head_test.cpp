#include "stream/prototype_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

namespace fer {
namespace {

using testing::ElementsAre;

/// Two classes along two axes.
LinearHead axes() {
  return {torch::eye(2) * 4, torch::zeros({2})};
}

TEST(PrototypeHead, TurnsTowardsTheFacesOfEachClass) {
  // Faces of class 0 lie at 30 degrees from its axis; class 1 shows none.
  const torch::Tensor features = torch::tensor({0.866f, 0.5f, 1.732f, 1.0f}).view({2, 2});
  PrototypeConfig config;
  config.mix = 1;
  const PrototypeHead made = make_prototype_head(axes(), {0.5f, 0.5f}, features, config);
  EXPECT_THAT(made.support, ElementsAre(2, 0));
  const torch::Tensor direction = made.head.weight / made.head.weight.norm(2, 1, true);
  // Mean of one row on the axis and two at 30 degrees: (1 + 2 · 0.866, 2 · 0.5), an angle of
  // 20.1 degrees.
  EXPECT_NEAR(direction[0][1].item<float>(), std::sin(20.1 * M_PI / 180), 1e-3);
  EXPECT_NEAR(direction[1][1].item<float>(), 1, 1e-6) << "no face: the source's own direction";
}

TEST(PrototypeHead, WeighsPrototypesAsTheSource) {
  torch::manual_seed(1);
  const torch::Tensor features = torch::rand({50, 2});
  PrototypeConfig config;
  config.mix = 1;
  const PrototypeHead made = make_prototype_head(axes(), {0.5f, 0.5f}, features, config);
  const auto spread = [&](const LinearHead& head) {
    const torch::Tensor logits = head.logits(features);
    return (logits - logits.mean(1, true)).square().mean().item<double>();
  };
  EXPECT_NEAR(spread(made.head), spread(axes()), 1e-3);
  config.mix = 0;
  EXPECT_TRUE(torch::equal(make_prototype_head(axes(), {0.5f, 0.5f}, features, config).head.weight,
                           axes().weight));
}

TEST(PrototypeHead, TakesTheMostConfidentOfAClass) {
  // The surest face lies on the axis, the other one well beside it.
  const torch::Tensor features = torch::tensor({1.f, 0.9f, 3.f, 0.f}).view({2, 2});
  PrototypeConfig config;
  config.mix = 1;
  config.per_class = 1;
  const PrototypeHead made = make_prototype_head(axes(), {0.5f, 0.5f}, features, config);
  EXPECT_THAT(made.support, ElementsAre(1, 0));
  EXPECT_NEAR(made.head.weight[0][1].item<float>(), 0, 1e-6);
}

TEST(PrototypeHead, GivesRareClassesTheirFaces) {
  // The source leans towards class 0, which is nine times as common.
  const LinearHead leaning{torch::eye(2), torch::tensor({1.f, -1.f})};
  const torch::Tensor features = torch::tensor({0.5f, 1.5f}).view({1, 2});
  PrototypeConfig config;
  config.prior_correction = 0;
  EXPECT_THAT(make_prototype_head(leaning, {0.9f, 0.1f}, features, config).support,
              ElementsAre(1, 0));
  config.prior_correction = 1;
  EXPECT_THAT(make_prototype_head(leaning, {0.9f, 0.1f}, features, config).support,
              ElementsAre(0, 1));
}

}  // namespace
}  // namespace fer
