#include "learn/features/feature_maps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <set>

#include "content.h"
#include "data/tiny_dataset.h"
#include "error_of.h"
#include "learn/features/feature_views.h"
#include "learn/semi/self_gate.h"
#include "learn/semi/ssl_trainer.h"
#include "network/light_head.h"
#include "network/model_file.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// The tiny faces with the maps above one block of a tiny model.
class FeatureMapsTest : public testing::Test {
 protected:
  FeatureMapsTest() : start_(test::train_tiny_model(folder_.path() / "start")) {
    write_packed(folder_.path() / "faces", test::tiny_info(), test::tiny_rows(16));
    faces_ = std::make_unique<PackedDataset>(folder_.path() / "faces");
    FeatureConfig config;
    config.blocks = 1;
    config.grid = 2;
    config.chunk = 7;
    EXPECT_TRUE(write_features(folder_.path() / "features", *faces_, start_, config,
                               [](std::size_t, std::size_t) { return true; }));
    data_ = std::make_unique<PackedDataset>(folder_.path() / "features");
  }

  SslData drawn(int labels) const {
    SslSources sources;
    sources.labelled = data_.get();
    sources.labels_per_class = labels;
    return ssl_data(sources);
  }

  /// A light head above the frozen block.
  SslConfig light_config(const char* method) const {
    SslConfig c;
    c.method = method_named(method);
    c.init = InitialWeights(start_);
    c.network = light_head_above(test::tiny_train_config().network, 1, 8);
    c.frozen_blocks = 1;
    c.light_head = true;
    c.features = feature_views({data_.get()}, 0.2);
    c.steps = 40;
    c.epoch_steps = 20;
    c.batch = 6;
    c.ema = 0.9;
    c.bf16 = false;
    c.threads = 1;
    return c;
  }

  const test::ScopedFolder folder_;
  const fs::path start_;
  std::unique_ptr<PackedDataset> faces_, data_;
};

TEST_F(FeatureMapsTest, NoticeAChangedByte) {
  const TensorView stored = data_->file().at("maps", DType::kBF16, 5);
  std::string bytes = test::content(folder_.path() / "features");
  const auto at = bytes.find(std::string(static_cast<const char*>(stored.data), stored.bytes));
  ASSERT_NE(at, std::string::npos);
  bytes[at + stored.bytes - 1] ^= 1;
  const PackedDataset changed(folder_.write("changed", bytes));
  const FeatureMaps maps(changed);
  EXPECT_THAT(test::error_of([&] { maps.plain({changed.size() - 1}); }),
              HasSubstr("the checksum of \"maps\" differs"));
}

TEST_F(FeatureMapsTest, AreThoseOfEachFaceAndOfItsMirrorImage) {
  const FeatureMaps maps(*data_);
  EXPECT_EQ(maps.info().blocks, 1);
  EXPECT_EQ(maps.info().network, read_model_info(start_).version);
  std::vector<PackedRow> mirrored;
  for (std::size_t i = 0; i < faces_->size(); ++i) {
    PackedRow row = faces_->row(i);
    for (int y = 0; y < test::kTinySide; ++y)
      std::reverse(row.crop.begin() + y * test::kTinySide,
                   row.crop.begin() + (y + 1) * test::kTinySide);
    mirrored.push_back(std::move(row));
  }
  write_packed(folder_.path() / "mirrored", test::tiny_info(), mirrored);
  const PackedDataset other(folder_.path() / "mirrored");
  FeatureConfig config;
  config.blocks = 1;
  config.grid = 0;
  ASSERT_TRUE(write_features(folder_.path() / "mirrored-features", other, start_, config,
                             [](std::size_t, std::size_t) { return true; }));
  const PackedDataset made(folder_.path() / "mirrored-features");
  const std::vector<std::size_t> rows{0, 9, 30};
  const std::vector<FeatureView> mirror(3, FeatureView::kMirrored);
  const auto apart = [](const torch::Tensor& a, const torch::Tensor& b) {
    return (a.to(torch::kFloat) - b.to(torch::kFloat)).abs().max().item<float>();
  };
  const float size = maps.plain(rows).to(torch::kFloat).abs().max().item<float>();
  EXPECT_LT(apart(maps.maps(rows, mirror), FeatureMaps(made).plain(rows)), 0.02f * size);
  EXPECT_LT(apart(maps.plain(rows), FeatureMaps(made).maps(rows, mirror)), 0.02f * size);
  EXPECT_GT(apart(maps.plain(rows), maps.maps(rows, mirror)), 0.05f * size);
  EXPECT_THAT(test::error_of([&] { FeatureMaps(made).non_faces({0}); }), HasSubstr("--gate-grid"));
}

TEST_F(FeatureMapsTest, LeaveTheRowsAsTheyWere) {
  ASSERT_EQ(data_->size(), faces_->size());
  for (std::size_t i = 0; i < data_->size(); ++i) {
    EXPECT_EQ(data_->label(i), faces_->label(i));
    EXPECT_EQ(data_->split(i), faces_->split(i));
    EXPECT_TRUE(std::equal(data_->crop(i).begin(), data_->crop(i).end(), faces_->crop(i).begin()));
  }
}

TEST_F(FeatureMapsTest, AreRefusedWhereTheyAreNone) {
  EXPECT_FALSE(has_features(*faces_));
  EXPECT_THAT(test::error_of([&] { FeatureMaps maps(*faces_); }), HasSubstr("fer pack --features"));
  EXPECT_THAT(test::error_of([&] { require_features_of(*data_, "another", "other.fer"); }),
              testing::AllOf(HasSubstr("other.fer"), HasSubstr("version another")));
  FeatureConfig config;
  config.blocks = 9;
  EXPECT_THAT(test::error_of([&] {
                write_features(folder_.path() / "more", *faces_, start_, config,
                               [](std::size_t, std::size_t) { return true; });
              }),
              HasSubstr("at least 9"));
  config.blocks = 0;
  EXPECT_FALSE(write_features(folder_.path() / "stopped", *faces_, start_, config,
                              [](std::size_t, std::size_t) { return false; }));
  EXPECT_FALSE(fs::exists(folder_.path() / "stopped"));
}

TEST_F(FeatureMapsTest, AreDrawnAsViews) {
  const FeatureViews views({data_.get()}, 0.5);
  const SslData data = drawn(4);
  const FaceRef& face = data.labelled.front();
  std::set<std::vector<float>> weak, strong;
  for (int i = 0; i < 40; ++i) {
    const ViewSeed draw{3, 0, static_cast<std::uint64_t>(i)};
    for (auto* seen : {&weak, &strong}) {
      const auto kind = seen == &weak ? ViewKind::kWeak : ViewKind::kStrong;
      const torch::Tensor view = views.of(kind, {face}, draw).to(torch::kFloat).flatten();
      const torch::Tensor flat = view.contiguous();
      seen->emplace(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
      EXPECT_TRUE(torch::equal(views.of(kind, {face}, draw), views.of(kind, {face}, draw)));
    }
  }
  EXPECT_EQ(weak.size(), 2u) << "as it is, and mirrored";
  EXPECT_GT(strong.size(), 30u);
  // Half of the channels are silent, and the others twice as loud.
  std::vector<FaceRef> many(200, face);
  const torch::Tensor loud = views.of(ViewKind::kStrong, many, {5, 0, 0}).to(torch::kFloat);
  const torch::Tensor once = views.of(ViewKind::kWeak, many, {5, 0, 0}).to(torch::kFloat);
  EXPECT_NEAR((loud.sum() / once.sum()).item<float>(), 1, 0.1);
  EXPECT_TRUE(torch::equal(views.plain({face}), FeatureMaps(*data_).plain({face.row})));
}

TEST_F(FeatureMapsTest, GateTheUnlabelledFaces) {
  // Half of what is unlabelled are faces, the other half the same faces upside down.
  std::vector<PackedRow> rows;
  for (std::size_t i = 0; i < faces_->size(); ++i) {
    PackedRow row = faces_->row(i);
    if (faces_->split(i) != "train" || row.label == 1) continue;  // The middle stays the middle.
    row.crop = std::vector<std::uint8_t>(row.crop.rbegin(), row.crop.rend());
    rows.push_back(std::move(row));
  }
  write_packed(folder_.path() / "upside", test::tiny_info(), rows);
  const PackedDataset upside(folder_.path() / "upside");
  FeatureConfig config;
  config.blocks = 1;
  config.grid = 0;
  ASSERT_TRUE(write_features(folder_.path() / "upside-features", upside, start_, config,
                             [](std::size_t, std::size_t) { return true; }));
  const PackedDataset distractors(folder_.path() / "upside-features");
  SslSources sources;
  sources.labelled = data_.get();
  sources.labels_per_class = 8;
  sources.distractors = {&distractors};
  SslData data = ssl_data(sources);
  const FeatureViews views({data_.get(), &distractors}, 0.5);
  const std::size_t before = data.unlabelled.size();
  const SelfGate gate = gate_unlabelled(data, views);
  EXPECT_EQ(gate.unlabelled + gate.distractors, before);
  EXPECT_EQ(gate.distractors, rows.size());
  EXPECT_EQ(data.unlabelled.size(), gate.unlabelled_kept + gate.distractors_kept);
  EXPECT_EQ(gate.gate.network, read_model_info(start_).version);
  EXPECT_EQ(gate.gate.weight.size() % 4, 0u);
  EXPECT_GT(gate.faces_kept, 0.8);

  SslSources without = sources;
  without.labelled = faces_.get();
  EXPECT_THAT(test::error_of([&] {
                const FeatureViews one({&distractors}, 0);
                SslData some = drawn(4);
                gate_unlabelled(some, one);
              }),
              HasSubstr("--gate-grid"));
}

TEST_F(FeatureMapsTest, TeachALightHeadAsTheFacesWould) {
  SslConfig c = light_config("dta-cv-snl");
  c.method.thresholds = "dta-cv:folds=2,refit=10";
  const std::atomic<bool> stop{false};
  const TrainResult result = train_semi_supervised(
      drawn(4), c, folder_.path() / "run", [](const TrainProgress&) {},
      [](const nlohmann::json&) {}, stop);
  EXPECT_GT(result.best["macro_recall"], 0.8);
  const ModelFile made = read_model(folder_.path() / "run/last.fer");
  const ModelFile start = read_model(start_);
  EXPECT_EQ(made.info.network.name, start.info.network.name + "-light");
  EXPECT_TRUE(torch::equal(made.weights.at("stem.weight"), start.weights.at("stem.weight")))
      << "what is frozen is the start's";
}

TEST_F(FeatureMapsTest, GiveSoftLabelsToAllUnlabelledFaces) {
  SslConfig c = light_config("cv-soft");
  c.method.thresholds = "dta-cv:folds=2";
  const std::atomic<bool> stop{false};
  nlohmann::json last;
  const TrainResult result = train_semi_supervised(
      drawn(4), c, folder_.path() / "run", [](const TrainProgress&) {},
      [&](const nlohmann::json& epoch) { last = epoch; }, stop);
  EXPECT_GT(result.best["macro_recall"], 0.8);
  EXPECT_EQ(last["accept_rate"], 1) << "all rows are taught";
  EXPECT_GT(last["purity"], 0.6);
  EXPECT_GT(last["loss_u"], 0);
}

}  // namespace
}  // namespace fer
