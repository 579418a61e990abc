#include "learn/data/resident_views.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <memory>
#include <stdexcept>

#include "data/tiny_dataset.h"
#include "learn/device/compute_device.h"
#include "scoped.h"

namespace fer {
namespace {

/// Faces of two files, of which the second also brings faces that no run learns from.
class ResidentViewsTest : public testing::Test {
 protected:
  ResidentViewsTest() {
    write_packed(folder_.path() / "one", test::tiny_info(), test::tiny_rows(30));
    write_packed(folder_.path() / "two", test::tiny_info(), test::tiny_rows(20));
    one_ = std::make_unique<PackedDataset>(folder_.path() / "one");
    two_ = std::make_unique<PackedDataset>(folder_.path() / "two");
    data_.info = one_->info();
    for (std::size_t row = 0; row < one_->size(); row += 2)
      data_.labelled.push_back({one_.get(), row, 0});
    for (std::size_t row = 5; row < two_->size(); ++row)
      data_.unlabelled.push_back({two_.get(), row, -1});
    // A labelled face is learnt from without its label besides.
    data_.unlabelled.push_back(data_.labelled.front());
    look_.stats = {0.4f, 0.2f};
  }

  std::vector<FaceRef> mixed() const {
    return {data_.unlabelled[3], data_.labelled[1], data_.unlabelled.back(), data_.labelled[0],
            data_.labelled[1]};
  }

  const test::ScopedFolder folder_;
  std::unique_ptr<PackedDataset> one_, two_;
  SslData data_;
  ViewSettings look_;
};

TEST_F(ResidentViewsTest, AreThoseThatAreMadeOnTheSpot) {
  const FreshViews fresh(look_);
  const ResidentViews resident(data_, look_, torch::kCPU, nullptr);
  for (const ViewKind kind : {ViewKind::kLabelled, ViewKind::kWeak, ViewKind::kStrong}) {
    const ViewSeed draw{3, 7, 11};
    const torch::Tensor a = fresh.of(kind, mixed(), draw), b = resident.of(kind, mixed(), draw);
    EXPECT_TRUE(a.equal(b));
    // The same face, drawn twice.
    EXPECT_FALSE(a[1].equal(a[4]));
  }
}

TEST_F(ResidentViewsTest, FollowFromSeedStreamAndPosition) {
  const FreshViews views(look_);
  const auto seen = [&](const ViewSeed& draw) {
    return views.of(ViewKind::kStrong, {data_.labelled[0], data_.labelled[0]}, draw);
  };
  const torch::Tensor first = seen({1, 1, 0});
  EXPECT_TRUE(seen({1, 1, 0}).equal(first));
  EXPECT_TRUE(seen({1, 1, 1})[0].equal(first[1]));
  EXPECT_FALSE(seen({2, 1, 0}).equal(first));
  EXPECT_FALSE(seen({1, 2, 0}).equal(first));
}

TEST_F(ResidentViewsTest, AreTheSameOnADevice) {
  torch::Device device = torch::kCPU;
  try {
    device = compute_device("cuda");
  } catch (const std::runtime_error& refused) {
    GTEST_SKIP() << refused.what();
  }
  const kernels::KernelTable* table = kernels_for(device);
  if (!table) GTEST_SKIP() << "libfer-cuda does not open";
  const FreshViews here(look_);
  const ResidentViews there(data_, look_, device, table);
  for (const ViewKind kind : {ViewKind::kWeak, ViewKind::kStrong}) {
    const torch::Tensor a = here.of(kind, mixed(), {3, 7, 11});
    const torch::Tensor b = there.of(kind, mixed(), {3, 7, 11});
    EXPECT_TRUE(b.device().is_cuda());
    // Pixels on a line of equalise or posterise may fall on its other side.
    const torch::Tensor apart = (a - b.to(torch::kCPU)).abs();
    EXPECT_LT((apart > 1e-3).to(torch::kFloat).mean().item<float>(), 1e-3);
  }
}

}  // namespace
}  // namespace fer
