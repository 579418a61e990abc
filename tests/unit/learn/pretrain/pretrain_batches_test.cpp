#include "learn/pretrain/pretrain_batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "data/still_augment.h"
#include "data/tiny_dataset.h"
#include "learn/pretrain/pretrainer.h"
#include "scoped.h"
#include "unit/learn/tensors.h"

namespace fer {
namespace {

class PretrainBatchesTest : public testing::Test {
 protected:
  PretrainBatchesTest() {
    write_packed(folder_.path() / "faces", test::tiny_info(), test::tiny_rows(8));
    packed_ = std::make_unique<PackedDataset>(folder_.path() / "faces");
    data_ = pretrain_data({packed_.get()});
  }

  const test::ScopedFolder folder_;
  std::unique_ptr<PackedDataset> packed_;
  PretrainData data_;
};

TEST_F(PretrainBatchesTest, ShowTwoViewsOfEachFace) {
  PretrainBatches batches(data_.faces, {}, pretrain_views(), 6, 1, 0);
  const torch::Tensor images = batches.next();
  EXPECT_EQ(images.sizes(), (std::vector<std::int64_t>{12, 1, 16, 16}));
  EXPECT_FALSE(torch::equal(images[0], images[6])) << "the views differ";
  PretrainBatches still(data_.faces, {}, test::still_augment(), 6, 1, 0);
  const torch::Tensor plain = still.next();
  EXPECT_TRUE(torch::equal(plain.narrow(0, 0, 6), plain.narrow(0, 6, 6))) << "of the same faces";
}

TEST_F(PretrainBatchesTest, ShowEveryFaceBeforeAnyAgain) {
  ASSERT_EQ(data_.faces.size(), 24u);
  PretrainBatches batches(data_.faces, {}, test::still_augment(), 6, 1, 0);
  std::set<std::vector<float>> seen;
  for (int step = 0; step < 4; ++step) {
    const torch::Tensor images = batches.next();
    for (int i = 0; i < 6; ++i) seen.insert(test::values(images[i]));
  }
  EXPECT_EQ(seen.size(), 24u);
}

TEST_F(PretrainBatchesTest, AreTheSameFromALaterStep) {
  PretrainBatches whole(data_.faces, {}, pretrain_views(), 6, 1, 0);
  PretrainBatches later(data_.faces, {}, pretrain_views(), 6, 1, 5);
  PretrainBatches other(data_.faces, {}, pretrain_views(), 6, 2, 5);
  torch::Tensor images;
  for (int step = 0; step <= 5; ++step) images = whole.next();
  EXPECT_TRUE(torch::equal(images, later.next()));
  EXPECT_FALSE(torch::equal(images, other.next()));
}

}  // namespace
}  // namespace fer
