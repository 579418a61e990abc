#include "learn/semi/ssl_batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <map>

#include "data/tiny_dataset.h"
#include "learn/semi/ssl_trainer.h"
#include "scoped.h"
#include "unit/learn/tensors.h"

namespace fer {
namespace {

/// Four labels of each of three classes, 48 faces without.
class SslBatchesTest : public testing::Test {
 protected:
  SslBatchesTest() {
    write_packed(folder_.path() / "faces", test::tiny_info(), test::tiny_rows(20));
    faces_ = std::make_unique<PackedDataset>(folder_.path() / "faces");
    SslSources sources;
    sources.labelled = faces_.get();
    sources.labels_per_class = 4;
    data_ = ssl_data(sources);
    config_.batch = 6;
  }

  SslBatches from(std::int64_t step) {
    views_.emplace_back(look_);
    return SslBatches(data_, views_.back(), config_, step);
  }

  const test::ScopedFolder folder_;
  std::unique_ptr<PackedDataset> faces_;
  SslData data_;
  SslBatchConfig config_;
  ViewSettings look_;
  std::list<FreshViews> views_;  ///< Of all batches that were made.
};

TEST_F(SslBatchesTest, HaveTheirShapes) {
  const SslBatch batch = from(0).next();
  EXPECT_EQ(batch.labelled.sizes(), (std::vector<std::int64_t>{6, 1, 16, 16}));
  EXPECT_EQ(batch.targets.sizes(), (std::vector<std::int64_t>{6, 3}));
  EXPECT_EQ(batch.weak.sizes(), (std::vector<std::int64_t>{12, 1, 16, 16}));
  EXPECT_EQ(batch.strong.sizes(), batch.weak.sizes());
  EXPECT_EQ(batch.truth.size(0), 12);
  EXPECT_FALSE(torch::equal(batch.weak, batch.strong));
  config_.mu = 0;
  EXPECT_FALSE(from(0).next().weak.defined());
}

TEST_F(SslBatchesTest, HoldSoManyWeakViews) {
  const SslBatch one = from(3).next();
  config_.weak_views = 3;
  const SslBatch three = from(3).next();
  ASSERT_EQ(three.weak.size(0), 36);
  EXPECT_TRUE(three.weak.narrow(0, 0, 12).equal(one.weak)) << "the first view changed";
  EXPECT_FALSE(three.weak.narrow(0, 12, 12).equal(one.weak));
  EXPECT_FALSE(three.weak.narrow(0, 12, 12).equal(three.weak.narrow(0, 24, 12)));
  EXPECT_TRUE(three.strong.equal(one.strong));
  EXPECT_TRUE(three.truth.equal(one.truth));
}

TEST_F(SslBatchesTest, FollowFromSeedAndStep) {
  SslBatches whole = from(0), late = from(9);
  for (int i = 0; i < 9; ++i) whole.next();
  for (int i = 0; i < 3; ++i) {
    const SslBatch a = whole.next(), b = late.next();
    EXPECT_TRUE(torch::equal(a.labelled, b.labelled));
    EXPECT_TRUE(torch::equal(a.targets, b.targets));
    EXPECT_TRUE(torch::equal(a.weak, b.weak));
    EXPECT_TRUE(torch::equal(a.strong, b.strong));
    EXPECT_TRUE(torch::equal(a.truth, b.truth));
  }
  const torch::Tensor of_one = from(0).next().weak;
  config_.seed = 2;
  EXPECT_FALSE(torch::equal(from(0).next().weak, of_one));
}

TEST_F(SslBatchesTest, OfPartsAreThoseOfTheWhole) {
  SslBatches whole = from(2);
  config_.part = {0, 3};
  SslBatches first = from(2);
  config_.part = {1, 3};
  SslBatches second = from(2);
  config_.part = {2, 3};
  SslBatches third = from(2);
  for (int i = 0; i < 3; ++i) {
    const SslBatch all = whole.next();
    const std::vector<SslBatch> parts{first.next(), second.next(), third.next()};
    for (const auto field : {&SslBatch::labelled, &SslBatch::targets, &SslBatch::labels,
                             &SslBatch::weak, &SslBatch::strong, &SslBatch::truth}) {
      EXPECT_TRUE(torch::equal(torch::cat({parts[0].*field, parts[1].*field, parts[2].*field}),
                               all.*field));
    }
  }
}

TEST_F(SslBatchesTest, ShowEachClassAsOften) {
  SslBatches batches = from(0);
  for (int i = 0; i < 5; ++i) {
    const SslBatch batch = batches.next();
    EXPECT_TRUE(torch::equal(torch::bincount(batch.labels, {}, 3), torch::tensor({2, 2, 2})));
    EXPECT_TRUE(torch::equal(batch.targets.argmax(1), batch.labels));
  }
}

TEST_F(SslBatchesTest, ShowEachFaceOnceARound) {
  // Views that are the face itself, so that it can be recognised.
  look_.weak.shift = 0;
  look_.weak.flip = 0;
  std::map<std::vector<float>, int> seen;
  SslBatches batches = from(0);
  // 48 faces in steps of 12: two rounds.
  for (int i = 0; i < 8; ++i) {
    const SslBatch batch = batches.next();
    for (int j = 0; j < 12; ++j) ++seen[test::values(batch.weak[j])];
  }
  EXPECT_EQ(seen.size(), 48u);
  for (const auto& [face, times] : seen) EXPECT_EQ(times, 2);
}

TEST_F(SslBatchesTest, TellTheTruthOfUnlabelledFaces) {
  look_.weak.shift = 0;
  const SslBatch batch = from(0).next();
  // The bright band of a tiny face is its class.
  const torch::Tensor rows = batch.weak.mean({1, 3});
  for (int i = 0; i < 12; ++i) {
    const auto brightest = rows[i].argmax().item<std::int64_t>();
    EXPECT_EQ(brightest * 3 / 16, batch.truth[i].item<std::int64_t>());
  }
}

}  // namespace
}  // namespace fer
