#include "stream/stream_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "error_of.h"

namespace fer {
namespace {

using testing::HasSubstr;

FaceLatents latents(float value) {
  return {{value, value + 1}, 0.5f, {0, 2, 4, static_cast<std::uint8_t>(value)}};
}

TEST(StreamLabels, GivesRowsToTheHeadAndToTheNetworks) {
  StreamLabels set;
  EXPECT_TRUE(set.empty());
  set.add(latents(1), 2);
  set.add(latents(7), 0);
  const LabelledFeatures rows = set.features();
  EXPECT_TRUE(torch::equal(rows.features, torch::tensor({1.f, 2.f, 7.f, 8.f}).view({2, 2})));
  EXPECT_TRUE(torch::equal(rows.labels, torch::tensor({2, 0}, torch::kLong)));
  const torch::Tensor activations = set.activations({1, 2, 2});
  EXPECT_TRUE(torch::equal(activations[1], torch::tensor({0.f, 1.f, 2.f, 3.5f}).view({1, 2, 2})));
}

TEST(StreamLabels, ComesBackFromACheckpoint) {
  StreamLabels set;
  set.add(latents(1), 2);
  set.add(latents(7), 0);
  Checkpoint kept;
  set.save(kept);
  const StreamLabels back = StreamLabels::restored(kept, 2, 4, 3);
  EXPECT_TRUE(torch::equal(back.features().features, set.features().features));
  EXPECT_TRUE(torch::equal(back.activations({4, 1, 1}), set.activations({4, 1, 1})));
  EXPECT_TRUE(torch::equal(back.labels(), set.labels()));
  EXPECT_TRUE(StreamLabels::restored(Checkpoint(), 2, 4, 3).empty()) << "version 0.1 had none";
  const auto refused = [&](std::int64_t features, std::int64_t bytes, int classes) {
    return test::error_of([&] { StreamLabels::restored(kept, features, bytes, classes); });
  };
  EXPECT_THAT(refused(3, 4, 3), HasSubstr("labels.features"));
  EXPECT_THAT(refused(2, 5, 3), HasSubstr("labels.bytes"));
  EXPECT_THAT(refused(2, 4, 2), HasSubstr("no class"));
}

TEST(StreamLabels, LetsTheOldestOfAClassGoWhereItIsFull) {
  StreamLabels set;
  for (int i = 0; i < 600; ++i) set.add(latents(static_cast<float>(i % 200)), i == 0 ? 1 : 0);
  EXPECT_EQ(set.size(), 512u);
  EXPECT_EQ((set.labels() == 1).sum().item<int>(), 1) << "the rare one stays";
}

}  // namespace
}  // namespace fer
