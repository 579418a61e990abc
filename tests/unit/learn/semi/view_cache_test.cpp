#include "learn/semi/view_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "data/tiny_dataset.h"
#include "error_of.h"
#include "learn/data/face_views.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Three views of 48 faces, 12 of them with labels, above one block of a tiny model.
class ViewCacheTest : public testing::Test {
 protected:
  ViewCacheTest() {
    write_packed(folder_.path() / "faces", test::tiny_info(), test::tiny_rows(16));
    faces_ = std::make_unique<PackedDataset>(folder_.path() / "faces");
    data_ = drawn(4, 1);
    config_.network = test::tiny_train_config().network;
    config_.init = InitialWeights(test::train_tiny_model(folder_.path() / "start"));
    config_.frozen_blocks = 1;
    config_.views = 3;
    config_.bf16 = false;
  }

  SemiData drawn(int labels, std::uint64_t seed) const {
    SemiSources sources;
    sources.labelled = faces_.get();
    sources.labels_per_class = labels;
    sources.seed = seed;
    return semi_data(sources);
  }

  bool write() const {
    return write_views(file_, data_, config_, [](std::size_t, std::size_t) { return true; });
  }

  std::string error_of(const SemiData& data, const SemiConfig& config) const {
    return test::error_of([&] { read_views(file_, data, config); });
  }

  const test::ScopedFolder folder_;
  const fs::path file_ = folder_.path() / "views";
  std::unique_ptr<PackedDataset> faces_;
  SemiData data_;
  SemiConfig config_;
};

/// Different views of a face among `count` draws.
std::size_t different(const FaceViews& views, ViewKind kind, const FaceRef& face, int count) {
  std::set<std::vector<float>> seen;
  for (int i = 0; i < count; ++i) {
    const torch::Tensor view = views.of(kind, {face}, {7, 0, static_cast<std::uint64_t>(i)});
    const torch::Tensor flat = view.contiguous().flatten();
    seen.emplace(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  }
  return seen.size();
}

TEST_F(ViewCacheTest, HoldsSoManyViewsOfEachKind) {
  ASSERT_TRUE(write());
  const auto views = read_views(file_, data_, config_);
  for (const FaceRef& face : {data_.unlabelled.front(), data_.unlabelled.back()}) {
    EXPECT_EQ(different(*views, ViewKind::kWeak, face, 60), 3u);
    EXPECT_EQ(different(*views, ViewKind::kStrong, face, 60), 3u);
  }
  const torch::Tensor two =
      views->of(ViewKind::kWeak, {data_.unlabelled[0], data_.labelled[1]}, {1, 0, 0});
  EXPECT_EQ(two.size(0), 2);
  EXPECT_FALSE(two[0].equal(two[1]));
  EXPECT_TRUE(two.is_contiguous(torch::MemoryFormat::ChannelsLast));
}

TEST_F(ViewCacheTest, ServesOtherLabelsAndSeeds) {
  ASSERT_TRUE(write());
  const SemiData other = drawn(7, 2);
  config_.seed = 5;
  config_.method = method_named("fixmatch");
  const FaceRef face = data_.labelled.front();
  EXPECT_TRUE(
      read_views(file_, other, config_)
          ->of(ViewKind::kLabelled, {face}, {1, 0, 0})
          .equal(read_views(file_, data_, config_)->of(ViewKind::kLabelled, {face}, {1, 0, 0})));
}

TEST_F(ViewCacheTest, RefusesWhatItDoesNotHold) {
  ASSERT_TRUE(write());
  EXPECT_EQ(error_of(data_, config_), "");
  SemiConfig other = config_;
  other.views = 4;
  EXPECT_THAT(error_of(data_, other), testing::AllOf(HasSubstr("views"), HasSubstr("remove it")));
  other = config_;
  other.strong.cutout = 0.1;
  EXPECT_THAT(error_of(data_, other), HasSubstr("cutout"));
  SemiData fewer = data_;
  fewer.unlabelled.pop_back();
  EXPECT_THAT(error_of(fewer, config_), HasSubstr("faces"));
  fs::remove(file_);
  fs::copy(folder_.path() / "faces", file_);
  EXPECT_THAT(error_of(data_, config_), HasSubstr(file_.string()));
}

TEST_F(ViewCacheTest, NamesHowManyBlocksThereAre) {
  config_.frozen_blocks = 9;
  EXPECT_THAT(test::error_of([&] { write(); }), HasSubstr("found 9"));
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(ViewCacheTest, LeavesNothingWhereItIsStopped) {
  EXPECT_FALSE(
      write_views(file_, data_, config_, [](std::size_t done, std::size_t) { return done == 0; }));
  EXPECT_FALSE(fs::exists(file_));
}

}  // namespace
}  // namespace fer
