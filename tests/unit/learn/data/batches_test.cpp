#include "learn/data/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "data/still_augment.h"
#include "data/tiny_dataset.h"
#include "scoped.h"

namespace fer {
namespace {

using test::ScopedFolder;
using test::still_augment;
using testing::ElementsAre;
using testing::FloatNear;

/// A dataset that is written for one test.
class Faces {
 public:
  Faces(const PackedInfo& info, const std::vector<PackedRow>& rows) {
    write_packed(folder_.path() / "faces.packed", info, rows);
    data_ = std::make_unique<PackedDataset>(folder_.path() / "faces.packed");
  }
  const PackedDataset& operator*() const { return *data_; }

 private:
  const ScopedFolder folder_;
  std::unique_ptr<PackedDataset> data_;
};

PackedInfo two_classes() {
  PackedInfo info;
  info.crops.side = 8;
  info.labels = {"neutral", "sadness"};
  info.splits = {"train", "valid"};
  return info;
}

PackedRow voted(std::vector<float> votes, int label, std::uint8_t shade = 0) {
  PackedRow row;
  row.crop.assign(64, shade);
  row.votes = std::move(votes);
  row.label = label;
  return row;
}

std::vector<std::vector<float>> targets_of(const std::vector<Sample>& samples) {
  std::vector<std::vector<float>> targets;
  for (const Sample& sample : samples) targets.push_back(sample.target);
  return targets;
}

TEST(LabelledSamples, TurnVotesIntoShares) {
  const Faces faces(two_classes(), {voted({6, 2}, 0), voted({0, 8}, 1), voted({0, 1}, 1)});
  EXPECT_THAT(targets_of(labelled_samples(*faces, "train", 2)),
              ElementsAre(ElementsAre(0.75f, 0.25f), ElementsAre(0.f, 1.f), ElementsAre(0.f, 1.f)));
}

TEST(LabelledSamples, TakeFewVotesForSlips) {
  const Faces faces(two_classes(), {voted({8, 1}, 0), voted({6, 3}, 0)});
  const auto samples = labelled_samples(*faces, "train", 2);
  EXPECT_THAT(samples[0].target, ElementsAre(1.f, 0.f));
  EXPECT_THAT(samples[1].target, ElementsAre(FloatNear(2 / 3.f, 1e-6), FloatNear(1 / 3.f, 1e-6)));
  EXPECT_THAT(labelled_samples(*faces, "train", 4)[1].target, ElementsAre(1.f, 0.f));
}

TEST(LabelledSamples, LeaveOutWhatCannotTeach) {
  std::vector<PackedRow> rows{voted({9, 0}, 0),  voted({9, 0}, 0),  voted({2, 2}, -1),
                              voted({4, 4}, -1), voted({0, 0}, -1), voted({9, 0}, 0)};
  rows[1].duplicate = true;
  rows[5].split = 1;
  const Faces faces(two_classes(), rows);
  // The tie with enough votes teaches the mixture that it is.
  const auto samples = labelled_samples(*faces, "train", 2);
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[0].row, 0u);
  EXPECT_EQ(samples[1].row, 3u);
  EXPECT_THAT(samples[1].target, ElementsAre(0.5f, 0.5f));
}

TEST(PixelStats, AreMeanAndDeviation) {
  const Faces faces(two_classes(), {voted({1, 0}, 0, 51), voted({0, 1}, 1, 153)});
  const PixelStats stats = pixel_stats(*faces, labelled_samples(*faces, "train", 1));
  EXPECT_NEAR(stats.mean, 0.4, 1e-6);
  EXPECT_NEAR(stats.stddev, 0.2, 1e-6);
}

/// Eight neutral, two sad.
std::vector<PackedRow> uneven() {
  std::vector<PackedRow> rows;
  for (int i = 0; i < 10; ++i) {
    const bool sad = i >= 8;
    rows.push_back(voted({sad ? 0.f : 1.f, sad ? 1.f : 0.f}, sad, static_cast<std::uint8_t>(i)));
  }
  return rows;
}

TEST(ClassShares, FollowTheBalance) {
  const Faces faces(two_classes(), uneven());
  const auto samples = labelled_samples(*faces, "train", 1);
  EXPECT_THAT(class_shares(samples, 0), ElementsAre(FloatNear(0.8f, 1e-6), FloatNear(0.2f, 1e-6)));
  EXPECT_THAT(class_shares(samples, 1), ElementsAre(FloatNear(0.5f, 1e-6), FloatNear(0.5f, 1e-6)));
  // 0.8^0.5 to 0.2^0.5.
  EXPECT_THAT(class_shares(samples, 0.5),
              ElementsAre(FloatNear(2 / 3.f, 1e-6), FloatNear(1 / 3.f, 1e-6)));
}

TEST(ClassShares, StayAboveZeroForClassesThatNeverOccur) {
  const Faces faces(two_classes(), {voted({1, 0}, 0)});
  const auto shares = class_shares(labelled_samples(*faces, "train", 1), 0.5);
  EXPECT_NEAR(shares[0], 1, 1e-6);
  EXPECT_GT(shares[1], 0);
  EXPECT_LT(shares[1], 0.01);
}

/// All of an epoch's images and targets.
std::pair<torch::Tensor, torch::Tensor> all_of(EpochBatches& batches) {
  std::vector<torch::Tensor> images, targets;
  while (auto batch = batches.next()) {
    images.push_back(batch->images);
    targets.push_back(batch->targets);
  }
  return {torch::cat(images), torch::cat(targets)};
}

TEST(EpochBatches, FollowFromSeedAndEpoch) {
  const Faces faces(test::tiny_info(), test::tiny_rows(20));
  const auto samples = labelled_samples(*faces, "train", 2);
  const auto epoch = [&](std::uint64_t seed, int number) {
    EpochBatches batches(*faces, samples, {}, {}, 8, 0.5, seed, number);
    return all_of(batches);
  };
  const auto [images, targets] = epoch(1, 0);
  EXPECT_EQ(images.sizes(), (std::vector<std::int64_t>{56, 1, 16, 16}));
  EXPECT_EQ(targets.sizes(), (std::vector<std::int64_t>{56, 3}));
  EXPECT_TRUE(torch::equal(images, epoch(1, 0).first));
  EXPECT_TRUE(torch::equal(targets, epoch(1, 0).second));
  EXPECT_FALSE(torch::equal(images, epoch(1, 1).first));
  EXPECT_FALSE(torch::equal(images, epoch(2, 0).first));
  EXPECT_TRUE(torch::allclose(targets.sum(1), torch::ones({56})));
}

TEST(EpochBatches, OfPartsAreThoseOfTheWhole) {
  const Faces faces(test::tiny_info(), test::tiny_rows(20));
  const auto samples = labelled_samples(*faces, "train", 2);
  const auto epoch = [&](BatchPart part) {
    return EpochBatches(*faces, samples, {}, {}, 8, 0.5, 1, 0, part);
  };
  EpochBatches whole = epoch({}), first = epoch({0, 2}), second = epoch({1, 2});
  int batches = 0;
  for (; const auto batch = whole.next(); ++batches) {
    const Batch a = *first.next(), b = *second.next();
    EXPECT_TRUE(torch::equal(torch::cat({a.images, b.images}), batch->images));
    EXPECT_TRUE(torch::equal(torch::cat({a.targets, b.targets}), batch->targets));
  }
  EXPECT_EQ(batches, 7);
  EXPECT_FALSE(first.next() || second.next());
}

TEST(EpochBatches, ShowEveryRowOnceWithoutBalance) {
  const Faces faces(two_classes(), uneven());
  const auto samples = labelled_samples(*faces, "train", 1);
  EpochBatches batches(*faces, samples, {0.f, 1 / 255.f}, still_augment(), 5,
                       /*balance=*/0, 1, 0);
  EXPECT_EQ(batches.size(), 2);
  const auto [images, targets] = all_of(batches);
  std::vector<int> shades;
  for (int i = 0; i < 10; ++i) {
    shades.push_back(static_cast<int>(std::lround(images[i][0][3][3].item<float>())));
    // The target belongs to the image beside it.
    EXPECT_EQ(targets[i][1].item<float>(), shades.back() >= 8);
  }
  EXPECT_FALSE(std::is_sorted(shades.begin(), shades.end()));
  EXPECT_THAT(shades, testing::UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(EpochBatches, ShowRareClassesMoreOftenWithBalance) {
  const Faces faces(two_classes(), uneven());
  const auto samples = labelled_samples(*faces, "train", 1);
  double sad = 0, all = 0;
  for (int epoch = 0; epoch < 40; ++epoch) {
    EpochBatches batches(*faces, samples, {}, still_augment(), 2, /*balance=*/1, 1, epoch);
    const torch::Tensor targets = all_of(batches).second;
    sad += targets.select(1, 1).sum().item<double>();
    all += static_cast<double>(targets.size(0));
  }
  EXPECT_NEAR(sad / all, 0.5, 0.05);
  // An epoch keeps its length.
  EXPECT_NEAR(all / 40, 10, 1.5);
}

TEST(EpochBatches, LeaveOutTheShortLastBatch) {
  const Faces faces(two_classes(), uneven());
  const auto samples = labelled_samples(*faces, "train", 1);
  EpochBatches batches(*faces, samples, {}, still_augment(), 4, 0, 1, 0);
  EXPECT_EQ(batches.size(), 2);
  EXPECT_TRUE(batches.next());
  EXPECT_TRUE(batches.next());
  EXPECT_FALSE(batches.next());
  EXPECT_FALSE(batches.next());
}

TEST(EpochBatches, MayBeGivenUpEarly) {
  const Faces faces(test::tiny_info(), test::tiny_rows(20));
  const auto samples = labelled_samples(*faces, "train", 2);
  for (int taken = 0; taken < 3; ++taken) {
    EpochBatches batches(*faces, samples, {}, {}, 8, 0, 1, 0);
    for (int i = 0; i < taken; ++i) EXPECT_TRUE(batches.next());
  }
}

TEST(PlainImages, AreNormalisedAndOtherwiseAsTheyWere) {
  const Faces faces(two_classes(), {voted({1, 0}, 0, 51), voted({0, 1}, 1, 153)});
  const std::vector<std::size_t> rows{1, 0};
  const torch::Tensor images = plain_images(*faces, rows, {0.4f, 0.2f});
  ASSERT_EQ(images.sizes(), (std::vector<std::int64_t>{2, 1, 8, 8}));
  EXPECT_TRUE(torch::allclose(images[0], torch::ones({1, 8, 8}), 1e-5, 1e-5));
  EXPECT_TRUE(torch::allclose(images[1], -torch::ones({1, 8, 8}), 1e-5, 1e-5));
}

}  // namespace
}  // namespace fer
