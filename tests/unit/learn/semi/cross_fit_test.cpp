#include "learn/semi/cross_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "error_of.h"

namespace fer {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kNames{"neutral", "happiness"};

/// `each` rows of either class, in turn.
std::vector<int> labels_of(int each) {
  std::vector<int> labels;
  for (int i = 0; i < each; ++i) labels.insert(labels.end(), {0, 1});
  return labels;
}

/// Rows about -distance and distance on the first of `dims` features.
torch::Tensor rows_of(const std::vector<int>& labels, double distance, int dims) {
  torch::Tensor rows = torch::randn({static_cast<std::int64_t>(labels.size()), dims});
  for (std::size_t i = 0; i < labels.size(); ++i)
    rows[static_cast<std::int64_t>(i)][0] += labels[i] == 1 ? distance : -distance;
  return rows;
}

TEST(CrossFit, IsNotFlatteredByRowsThatItCanKnowByHeart) {
  torch::manual_seed(1);
  // 40 rows of 100 features that say nothing of the class: any classifier tells the rows apart that
  // it was fitted to, and no row that it was not.
  const std::vector<int> labels = labels_of(20);
  CrossFit heads({.folds = 5, .l2 = 1e-3}, labels, kNames);
  heads.fit(torch::randn({40, 100}));
  // No threshold reaches a precision of 0.7: the surest tenth alone is accepted.
  const torch::Tensor q = heads.probabilities(torch::randn({500, 100}));
  const torch::Tensor confidence = std::get<0>(q.max(1));
  EXPECT_LT(confidence.mean().item<float>(), 0.65) << "the temperature knows that it knows nothing";
}

TEST(CrossFit, AcceptsWhatItKnows) {
  torch::manual_seed(2);
  const std::vector<int> labels = labels_of(50);
  CrossFit heads({}, labels, kNames);
  EXPECT_FALSE(heads.fitted());
  heads.fit(rows_of(labels, 2, 5));
  ASSERT_TRUE(heads.fitted());
  const std::vector<int> truth = labels_of(200);
  const torch::Tensor q = heads.probabilities(rows_of(truth, 2, 5));
  EXPECT_EQ(q.scalar_type(), torch::kFloat);
  int accepted = 0, right = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const torch::Tensor row = q[static_cast<std::int64_t>(i)];
    const auto guess = row.argmax().item<std::int64_t>();
    if (row[guess].item<double>() < heads.thresholds()[static_cast<std::size_t>(guess)]) continue;
    ++accepted;
    right += guess == truth[i];
  }
  EXPECT_GT(accepted, 350);
  EXPECT_GT(right, 0.9 * accepted);
}

TEST(CrossFit, RulesTheTruthOutInNoMoreThanTheShareThatItPromises) {
  torch::manual_seed(3);
  const std::vector<int> labels = labels_of(200);
  CrossFit heads({.alpha = 0.1}, labels, kNames);
  heads.fit(rows_of(labels, 1, 5));
  const std::vector<int> truth = labels_of(2000);
  const torch::Tensor q = heads.probabilities(rows_of(truth, 1, 5));
  const auto p = q.accessor<float, 2>();
  int wrong[2] = {}, out[2] = {};
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    const auto k = static_cast<std::size_t>(truth[i]);
    wrong[k] += p[row][truth[i]] < heads.quantiles()[k];
    out[k] += p[row][1 - truth[i]] < heads.quantiles()[1 - k];
  }
  for (int k = 0; k < 2; ++k) {
    EXPECT_LT(wrong[k], 0.14 * 2000);
    EXPECT_GT(out[k], 0.3 * 2000) << "and rules the other class out often";
  }
}

TEST(CrossFit, FindsTheMixOfTheUnlabelledRows) {
  torch::manual_seed(4);
  const std::vector<int> labels = labels_of(100);
  CrossFit heads({.mix = true}, labels, kNames);
  std::vector<int> pool(1000, 0);
  for (std::size_t i = 0; i < 200; ++i) pool[i] = 1;
  heads.fit(rows_of(labels, 1.5, 4), rows_of(pool, 1.5, 4));
  EXPECT_NEAR(heads.mix()[0], 0.8, 0.05);
  // A row between the classes is likelier of the more frequent one.
  EXPECT_GT(heads.probabilities(torch::zeros({1, 4}))[0][0].item<float>(), 0.6f);
}

TEST(CrossFit, GoesOnFromItsState) {
  torch::manual_seed(5);
  const std::vector<int> labels = labels_of(20);
  CrossFit first({}, labels, kNames), second({}, labels, kNames);
  EXPECT_TRUE(first.state_dict().empty());
  first.fit(rows_of(labels, 1, 3));
  second.load_state_dict(first.state_dict());
  const torch::Tensor x = torch::randn({7, 3});
  EXPECT_TRUE(torch::equal(first.probabilities(x), second.probabilities(x)));
  EXPECT_EQ(first.thresholds(), second.thresholds());
  EXPECT_EQ(first.quantiles(), second.quantiles());
  auto damaged = first.state_dict();
  damaged.erase("bias");
  EXPECT_THAT(test::error_of([&] { second.load_state_dict(damaged); }), HasSubstr("\"bias\""));
}

TEST(CrossFit, NamesTheClassThatHasFewerLabelsThanFolds) {
  EXPECT_THAT(test::error_of([] {
                CrossFit({.folds = 5}, {0, 0, 0, 0, 0, 1, 1}, kNames);
              }),
              testing::AllOf(HasSubstr("at least 5"), HasSubstr("found 2 of \"happiness\"")));
}

}  // namespace
}  // namespace fer
