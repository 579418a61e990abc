#include "learn/semi/pseudo_labeller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "unit/learn/tensors.h"

namespace fer {
namespace {

using test::values;
using testing::ElementsAre;
using testing::FloatNear;

struct Made {
  std::unique_ptr<ThresholdPolicy> thresholds;
  std::unique_ptr<NegativePolicy> negatives;
  std::unique_ptr<PseudoLabeller> labeller;
};

Made made(const Method& method, const CrossFitSource& source) {
  Made all{make_threshold_policy(method.thresholds, 2, 1),
           make_negative_policy(method.negatives, 2), nullptr};
  all.labeller = make_pseudo_labeller(method, *all.thresholds, *all.negatives, source);
  return all;
}

CrossFitSource two_classes() {
  CrossFitSource source;
  source.names = {"neutral", "happiness"};
  return source;
}

TEST(PseudoLabeller, IsTheTeachersSoftmaxForFixMatch) {
  const Made fixmatch = made(method_named("fixmatch"), two_classes());
  const torch::Tensor q =
      fixmatch.labeller->probabilities({torch::tensor({{0.0, std::log(3.0)}}), {}});
  EXPECT_THAT(values(q), ElementsAre(FloatNear(0.25, 1e-6), FloatNear(0.75, 1e-6)));
  EXPECT_FALSE(fixmatch.labeller->student_shift().defined());
  EXPECT_FALSE(fixmatch.labeller->begin_step(0));
}

TEST(PseudoLabeller, DividesByTheMarginalOfEachClassForDebiasPl) {
  const Made debias = made(method_named("debiaspl"), two_classes());
  const TeacherOutput taught{torch::tensor({{std::log(9.0), 0.0}}), {}};
  // Uniform at first: nothing changes but the marginal, by a thousandth of (0.9, 0.1) - (0.5, 0.5).
  EXPECT_THAT(values(debias.labeller->probabilities(taught)),
              ElementsAre(FloatNear(0.9, 1e-6), FloatNear(0.1, 1e-6)));
  EXPECT_THAT(values(debias.labeller->state_dict().at("marginal")),
              ElementsAre(FloatNear(0.5004, 1e-6), FloatNear(0.4996, 1e-6)));
  // At the marginal (0.9, 0.1) the odds of 9 lose √9: a vector, not a scalar, which would do
  // nothing.
  debias.labeller->load_state_dict({{"marginal", torch::tensor({0.9f, 0.1f})}});
  EXPECT_THAT(values(debias.labeller->probabilities(taught)),
              ElementsAre(FloatNear(0.75, 1e-4), FloatNear(0.25, 1e-4)));
  EXPECT_THAT(
      values(debias.labeller->student_shift()),
      ElementsAre(FloatNear(0.5 * std::log(0.9), 1e-3), FloatNear(0.5 * std::log(0.1), 1e-3)));
}

TEST(PseudoLabeller, RefitsItsHeadsEverySoManySteps) {
  torch::manual_seed(1);
  CrossFitSource source = two_classes();
  for (int i = 0; i < 40; ++i) source.labels.push_back(i % 2);
  int asked = 0;
  source.labelled = [&asked] {
    ++asked;
    torch::Tensor rows = torch::randn({40, 3});
    for (std::int64_t i = 0; i < 40; ++i) rows[i][0] += i % 2 == 1 ? 3 : -3;
    return rows;
  };
  Method method = method_named("dta-cv-snl");
  method.thresholds = "dta-cv:refit=10";
  const Made cross = made(method, source);
  EXPECT_GT(cross.thresholds->thresholds()[0].item<float>(), 1) << "nothing is accepted before";
  int changed = 0;
  for (int step = 0; step < 25; ++step) changed += cross.labeller->begin_step(step);
  EXPECT_EQ(changed, 3);
  EXPECT_EQ(asked, 3);
  EXPECT_LE(cross.thresholds->thresholds()[0].item<float>(), 1) << "the surest are accepted";
  const float quantile =
      cross.negatives->rule().state.as<kernels::SnlConformal::State>().quantiles[1];
  EXPECT_GT(quantile, 0);
  const torch::Tensor q = cross.labeller->probabilities(
      {torch::zeros({2, 2}), torch::tensor({{-4.0f, 0.0f, 0.0f}, {4.0f, 0.0f, 0.0f}})});
  EXPECT_GT(q[0][0].item<float>(), 0.8);
  EXPECT_GT(q[1][1].item<float>(), 0.8);

  const Made second = made(method, source);
  second.labeller->load_state_dict(cross.labeller->state_dict());
  EXPECT_TRUE(torch::equal(second.thresholds->thresholds(), cross.thresholds->thresholds()));
  EXPECT_FALSE(second.labeller->begin_step(25));
}

/// Rows about (-distance, …) and (distance, …) in turn, as maps of three channels.
torch::Tensor maps_of(std::int64_t rows, double distance) {
  torch::Tensor maps = torch::randn({rows, 3, 3, 3});
  for (std::int64_t i = 0; i < rows; ++i) maps[i][0] += i % 2 == 1 ? distance : -distance;
  return maps;
}

TEST(PseudoLabeller, FitsHeadsOnFrozenMapsOnce) {
  torch::manual_seed(2);
  CrossFitSource source = two_classes();
  for (int i = 0; i < 40; ++i) source.labels.push_back(i % 2);
  int asked = 0;
  source.labelled = [&asked] {
    ++asked;
    return maps_of(40, 1).flatten(1);
  };
  Method method = method_named("dta-cv");
  method.thresholds = "dta-cv:refit=10";
  method.map_heads = true;
  const Made cross = made(method, source);
  EXPECT_TRUE(cross.labeller->begin_step(0));
  EXPECT_FALSE(cross.labeller->begin_step(10)) << "nothing below the heads has changed";
  EXPECT_EQ(asked, 1);
  // The network's features and logits say nothing; the maps do.
  const TeacherOutput taught{torch::zeros({2, 2}), torch::zeros({2, 5}), maps_of(2, 3)};
  const torch::Tensor q = cross.labeller->probabilities(taught);
  EXPECT_GT(q[0][0].item<float>(), 0.8);
  EXPECT_GT(q[1][1].item<float>(), 0.8);
}

TEST(PseudoLabeller, BlendsTheNetworksOwnWordIntoThatOfTheHeads) {
  torch::manual_seed(3);
  CrossFitSource source = two_classes();
  for (int i = 0; i < 40; ++i) source.labels.push_back(i % 2);
  // Classes that overlap, so that no probability is 0 or 1.
  source.labelled = [] { return maps_of(40, 0.2).flatten(1); };
  Method method = method_named("dta-cv");
  method.map_heads = true;
  const TeacherOutput taught{torch::tensor({{0.0, 2.0}}), torch::zeros({1, 5}), maps_of(1, 0.2)};
  const auto odds = [&](double share) {
    torch::manual_seed(4);
    method.network_share = share;
    const Made one = made(method, source);
    one.labeller->begin_step(0);
    const torch::Tensor q = one.labeller->probabilities(taught);
    return std::log(q[0][1].item<double>() / q[0][0].item<double>());
  };
  EXPECT_NEAR(odds(1), 2, 1e-4);
  EXPECT_NEAR(odds(0.25), 0.75 * odds(0) + 0.25 * 2, 1e-3);
}

TEST(PseudoLabeller, SharpensSoftLabelsByTheirTemperature) {
  CrossFitSource source = two_classes();
  for (int i = 0; i < 10; ++i) source.labels.push_back(i % 2);
  Method method = method_named("dta-cv");
  const torch::Tensor q = torch::tensor({{0.8f, 0.2f}});
  EXPECT_FALSE(made(method, source).labeller->soft_labels(q).defined());
  method.soften = 0.5;
  // Odds of 4, squared.
  EXPECT_THAT(values(made(method, source).labeller->soft_labels(q)),
              ElementsAre(FloatNear(16.f / 17, 1e-5), FloatNear(1.f / 17, 1e-5)));
}

}  // namespace
}  // namespace fer
