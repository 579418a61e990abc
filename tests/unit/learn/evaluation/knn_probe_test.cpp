#include "learn/evaluation/knn_probe.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

namespace fer {
namespace {

const std::vector<std::string> kNames{"neutral", "happiness"};

TEST(Neighbours, AskTheNearestOthersAndNeverThemselves) {
  // Two pairs that point alike, and one that stands among strangers.
  const torch::Tensor features =
      torch::tensor({{1.0, 0.0}, {5.0, 0.5}, {0.0, 1.0}, {0.1, 2.0}, {0.5, 2.0}});
  const Confusion found = knn_probe(features, {0, 0, 1, 1, 0}, kNames, 1, false);
  EXPECT_EQ(found.total(), 5);
  EXPECT_EQ(found.count(0, 0), 2);
  EXPECT_EQ(found.count(1, 1), 2);
  EXPECT_EQ(found.count(0, 1), 1) << "the last, whose nearest are of the other class";
}

TEST(Neighbours, WeighVotesByLikeness) {
  // Of the first row: one neighbour of class 0 at cosine 1, two of class 1 at cosine 0.8, whose
  // votes count e^(-0.2 / 0.07) = 0.057 each. Of the last: its like of class 1, the other two, and
  // so on; only the first row is looked at here.
  const torch::Tensor features = torch::tensor({{1.0, 0.0}, {2.0, 0.0}, {0.8, 0.6}, {0.8, -0.6}});
  const Confusion found = knn_probe(features, {0, 0, 1, 1}, kNames, 3, false);
  EXPECT_EQ(found.count(0, 0), 2);
}

TEST(Neighbours, LetRareClassesCountAsMuchAsFrequentOnes) {
  // All are alike, so that everybody hears all others: of a row of class 0 two of its own and two
  // of class 1, of a row of class 1 three of class 0 and one of its own.
  const torch::Tensor features = torch::ones({5, 2});
  const std::vector<int> labels{0, 0, 0, 1, 1};
  EXPECT_EQ(knn_probe(features, labels, kNames, 4, false).recall(0), 1);
  EXPECT_EQ(knn_probe(features, labels, kNames, 4, false).recall(1), 0);
  // By rarity, 2/3 against 2/2 there, and 3/3 against 1/2 here.
  EXPECT_EQ(knn_probe(features, labels, kNames, 4, true).recall(0), 0);
  EXPECT_EQ(knn_probe(features, labels, kNames, 4, true).recall(1), 0);
}

TEST(Neighbours, AreAsManyAsThereAre) {
  torch::manual_seed(1);
  // More rows than fit one chunk: two clouds.
  const torch::Tensor features =
      torch::randn({1200, 4}) * 0.1 +
      torch::tensor({{1.0, 0.0, 0.0, 0.0}, {0.0, 1.0, 0.0, 0.0}}).repeat({600, 1});
  std::vector<int> labels;
  for (int i = 0; i < 1200; ++i) labels.push_back(i % 2);
  EXPECT_GT(knn_probe(features, labels, kNames, 20, false).accuracy(), 0.99);
  EXPECT_EQ(knn_probe(features.narrow(0, 0, 2), {0, 1}, kNames, 20, false).accuracy(), 0);
}

}  // namespace
}  // namespace fer
