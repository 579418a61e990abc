#include "learn/data/resident_augment.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <memory>
#include <stdexcept>

#include "data/still_augment.h"
#include "data/tiny_dataset.h"
#include "learn/device/compute_device.h"
#include "learn/pretrain/pretrain_batches.h"
#include "scoped.h"

namespace fer {
namespace {

class ResidentAugmentTest : public testing::Test {
 protected:
  ResidentAugmentTest() {
    write_packed(folder_.path() / "faces", test::tiny_info(), test::tiny_rows(12));
    data_ = std::make_unique<PackedDataset>(folder_.path() / "faces");
    for (std::size_t row = 0; row < data_->size(); ++row) faces_.push_back({data_.get(), row});
  }

  /// Views of all faces, drawn by `config`, in [0, 1]: of the processor and by LibTorch.
  void expect_same(const AugmentConfig& config, torch::Device device = torch::kCPU) {
    const PackedInfo& info = data_->info();
    const ResidentAugment resident(faces_, {0, 1}, device);
    std::vector<DrawnView> views;
    torch::Tensor expected = torch::empty({static_cast<std::int64_t>(faces_.size()),
                                           info.crops.channels, info.crops.side, info.crops.side});
    for (std::size_t i = 0; i < faces_.size(); ++i) {
      views.push_back(draw_view(config, info.crops.channels, info.crops.side, Random(5, i)));
      show_view(faces_[i].crop(), info.crops.channels, info.crops.side, views.back(),
                image_at(expected, static_cast<std::int64_t>(i)));
    }
    const torch::Tensor made = resident.of(faces_, views);
    EXPECT_EQ(made.device(), device);
    const torch::Tensor apart = (made.to(torch::kCPU) - expected).abs();
    // The processor bends light between whole levels by a line.
    EXPECT_LT(apart.max().item<float>(), 0.01);
    EXPECT_LT(apart.mean().item<float>(), 2e-4);
  }

  const test::ScopedFolder folder_;
  std::unique_ptr<PackedDataset> data_;
  std::vector<FaceRef> faces_;
};

TEST_F(ResidentAugmentTest, ShowsWhatTheProcessorShows) {
  expect_same(test::still_augment());
  expect_same({});
  AugmentConfig all;
  all.blur = all.noise = all.erase = 1;
  expect_same(all);
  AugmentConfig far = test::still_augment();
  far.rotation = 180;
  far.shift = 0.8;  // past the border
  expect_same(far);
  AugmentConfig light = test::still_augment();
  light.gamma = light.contrast = 1;
  light.brightness = 0.5;
  expect_same(light);
}

TEST_F(ResidentAugmentTest, ShowsItOnADevice) {
  torch::Device device = torch::kCPU;
  try {
    device = compute_device("cuda");
  } catch (const std::runtime_error& refused) {
    GTEST_SKIP() << refused.what();
  }
  AugmentConfig all;
  all.blur = all.noise = all.erase = 1;
  expect_same(all, device);
}

TEST_F(ResidentAugmentTest, NormalisesAndTakesAFaceTwice) {
  const ResidentAugment resident(faces_, {0.25f, 0.5f}, torch::kCPU);
  const std::vector<FaceRef> twice{faces_[3], faces_[1], faces_[3]};
  const DrawnView plain = draw_view(test::still_augment(), data_->info().crops.channels,
                                    data_->info().crops.side, Random(1));
  const torch::Tensor views = resident.of(twice, {plain, plain, plain});
  EXPECT_TRUE(views[0].equal(views[2]));
  EXPECT_NEAR(views[1][0][0][0].item<float>(), (faces_[1].crop()[0] / 255.f - 0.25f) / 0.5f, 1e-5);
}

// Batches are the same whoever makes their images.

TEST_F(ResidentAugmentTest, EpochBatchesAreTheSame) {
  const PixelStats stats{0.4f, 0.3f};
  const std::vector<Sample> samples = labelled_samples(*data_, "train", 1);
  std::vector<FaceRef> faces;
  for (const Sample& sample : samples) faces.push_back({data_.get(), sample.row});
  const ResidentAugment resident(faces, stats, torch::kCPU);
  EpochBatches here(*data_, samples, stats, {}, 4, 0.5, 1, 0);
  EpochBatches there(*data_, samples, stats, {}, 4, 0.5, 1, 0, {}, torch::kCPU, &resident);
  int batches = 0;
  while (const auto batch = here.next()) {
    const auto other = there.next();
    ASSERT_TRUE(other);
    EXPECT_TRUE(other->images.allclose(batch->images, 0, 0.03));
    EXPECT_TRUE(other->targets.equal(batch->targets));
    ++batches;
  }
  EXPECT_GT(batches, 1);
  EXPECT_FALSE(there.next());
}

TEST_F(ResidentAugmentTest, PretrainBatchesAreTheSame) {
  const PixelStats stats{0.4f, 0.3f};
  const ResidentAugment resident(faces_, stats, torch::kCPU);
  PretrainBatches here(faces_, stats, {}, 4, 1, 0);
  PretrainBatches there(faces_, stats, {}, 4, 1, 0, torch::kCPU, &resident);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(there.next().allclose(here.next(), 0, 0.03)) << i;
}

}  // namespace
}  // namespace fer
