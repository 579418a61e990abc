#include "stream/labelled_faces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>
#include <set>

#include "content.h"
#include "error_of.h"
#include "learn/data/batches.h"
#include "learn/run/module_run.h"
#include "stream/replay.h"
#include "stream/write_latents.h"
#include "tiny_learner.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::TinySource;
using testing::HasSubstr;

class LabelledFacesTest : public testing::Test {
 protected:
  LabelledFacesTest()
      : model_(read_model(TinySource::get().model())), network_(model_.info.network) {
    copy_state(model_.weights, *network_, "test");
    network_->eval();
  }

  std::vector<std::size_t> write(const fs::path& path, int per_class, const std::string& split,
                                 const std::vector<std::size_t>& but_not = {}) {
    const PackedDataset data(TinySource::get().packed());
    return write_latents(path, model_, 1, data, split, per_class, 1, but_not);
  }
  std::unique_ptr<LabelledFaces> open(const fs::path& path, int setting = -1) {
    return LabelledFaces::open(path, "train", model_, setting);
  }

  const test::ScopedFolder folder_;
  const fs::path file_ = folder_.path() / "tiny.replay";
  ModelFile model_;
  Network network_;
};

TEST_F(LabelledFacesTest, OpensASplitOfAPackedDataset) {
  const auto faces = LabelledFaces::open(TinySource::get().packed(), "valid", model_, 1);
  EXPECT_EQ(faces->size(), 60u);
  EXPECT_EQ(faces->split_point(), 1);
  const std::vector<std::size_t> rows{0, 1, 2};
  const torch::Tensor activations = faces->activations(rows, network_, nullptr);
  EXPECT_EQ(activations.sizes(), (std::vector<std::int64_t>{3, 8, 8, 8}));
  const torch::Tensor logits = network_->head_blocks(activations, 1);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(logits[i].argmax().item<int>(), faces->labels()[static_cast<std::size_t>(i)]);
}

TEST_F(LabelledFacesTest, ShowsPicturesInViewsThatFollowFromTheRandomNumbers) {
  const auto faces = open(TinySource::get().packed());
  const std::vector<std::size_t> rows{5, 6};
  const Random one(1), other(2);
  const torch::Tensor view = faces->activations(rows, network_, &one);
  EXPECT_TRUE(torch::equal(view, faces->activations(rows, network_, &one)));
  EXPECT_FALSE(torch::equal(view, faces->activations(rows, network_, &other)));
}

TEST_F(LabelledFacesTest, TakesAllRowsWhereThereIsNoSuchSplitUnlessItMustBeThere) {
  const auto path = TinySource::get().packed();
  EXPECT_EQ(LabelledFaces::open(path, "stream", model_, 1)->size(), 300u);
  EXPECT_THAT(error_of([&] { LabelledFaces::open(path, "stream", model_, 1, true); }),
              HasSubstr("no split \"stream\""));
}

TEST_F(LabelledFacesTest, LatentsAreWhatTheLowerHalfMakes) {
  const auto taken = write(file_, 10, "train");
  EXPECT_EQ(taken.size(), 30u);
  const auto latents = open(file_);
  ASSERT_EQ(latents->size(), 30u);
  EXPECT_EQ(latents->split_point(), 1);
  std::map<int, int> classes;
  for (int label : latents->labels()) ++classes[label];
  EXPECT_EQ(classes, (std::map<int, int>{{0, 10}, {1, 10}, {2, 10}}));

  const PackedDataset data(TinySource::get().packed());
  std::vector<std::size_t> rows(30);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = i;
    EXPECT_EQ(latents->labels()[i], data.label(taken[i]));
  }
  const torch::Tensor stored = latents->activations(rows, network_, nullptr);
  const torch::NoGradGuard no_grad;
  const torch::Tensor computed =
      network_->trunk(plain_images(data, taken, {model_.info.mean, model_.info.stddev}), 1);
  // A byte's step of each row's largest value.
  const double step = computed.max().item<double>() / 255;
  EXPECT_LE((stored - computed).abs().max().item<double>(), 0.51 * step);
}

TEST_F(LabelledFacesTest, LatentsOfReplayAndCanaryAreDisjoint) {
  const auto canary = write(folder_.path() / "c", 5, "train");
  const auto replay = write(folder_.path() / "r", 1000, "train", canary);
  EXPECT_EQ(canary.size() + replay.size(), 180u);
  std::set<std::size_t> all(canary.begin(), canary.end());
  all.insert(replay.begin(), replay.end());
  EXPECT_EQ(all.size(), 180u);
  EXPECT_THAT(error_of([&] {
                write(folder_.path() / "x", 5, "train", {all.begin(), all.end()});
              }),
              HasSubstr("no row is left"));
}

TEST_F(LabelledFacesTest, LatentsServeEveryNetworkWithTheSameLowerHalf) {
  write(file_, 3, "train");
  model_.weights["head.bias"] = model_.weights["head.bias"] + 1;
  EXPECT_EQ(open(file_)->size(), 9u);
  model_.weights["stem.weight"] = model_.weights["stem.weight"] + 1e-3;
  EXPECT_THAT(error_of([&] { open(file_); }), HasSubstr("of another network"));
}

TEST_F(LabelledFacesTest, RefusesACutInAnotherPlace) {
  write(file_, 3, "train");
  EXPECT_THAT(error_of([&] { open(file_, 2); }), HasSubstr("expected activations above 2 blocks"));
  EXPECT_THAT(error_of([&] { open(TinySource::get().packed(), 7); }), HasSubstr("has 2 blocks"));
}

TEST_F(LabelledFacesTest, RefusesBrokenFiles) {
  write(file_, 3, "train");
  const std::string whole = test::content(file_);
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 23) {
    folder_.write("cut", whole.substr(0, at));
    EXPECT_NE(error_of([&] { open(folder_.path() / "cut"); }), "") << at;
    std::string flipped = whole;
    flipped[whole.size() - 1 - at / 2] ^= 4;  // in the tensors
    folder_.write("flipped", flipped);
    EXPECT_NE(error_of([&] { open(folder_.path() / "flipped"); }), "") << at;
  }
  for (const char* word : {"neutral", "blocks_below", "train"}) {
    std::string changed = whole;
    changed[whole.find(word)] ^= 1;  // in the metadata
    folder_.write("changed", changed);
    EXPECT_NE(error_of([&] { open(folder_.path() / "changed"); }), "") << word;
  }
  EXPECT_NE(error_of([&] { open(TinySource::get().model()); }), "");
  EXPECT_NE(error_of([&] { open(folder_.path() / "missing"); }), "");
}

TEST_F(LabelledFacesTest, RefusesCropsThatTheModelDoesNotTake) {
  PackedInfo info = test::tiny_info();
  info.crops.align_template = "arcface";
  write_packed(file_, info, test::tiny_rows(3));
  EXPECT_THAT(error_of([&] { open(file_); }), HasSubstr("template \"arcface\""));
}

TEST_F(LabelledFacesTest, LeavesOutClassesThatTheModelDoesNotKnow) {
  PackedInfo info = test::tiny_info();
  info.labels = {"sad", "happy", "surprised"};  // aliases count, sadness is not known
  write_packed(file_, info, test::tiny_rows(3));
  const auto faces = open(file_);
  EXPECT_EQ(faces->size(), 6u);
  EXPECT_THAT(faces->labels(), testing::Each(testing::Gt(0)));
}

TEST_F(LabelledFacesTest, ReplayDrawsClassesInTurn) {
  const Replay replay(open(TinySource::get().packed()));
  const Replay::Rows rows = replay.draw(10, Random(3), network_);
  EXPECT_EQ(rows.activations.size(0), 10);
  std::map<std::int64_t, int> counts;
  for (int i = 0; i < 10; ++i) ++counts[rows.labels[i].item<std::int64_t>()];
  for (const auto& [label, count] : counts) EXPECT_THAT(count, testing::AnyOf(3, 4)) << label;
  EXPECT_EQ(counts.size(), 3u);
  EXPECT_TRUE(torch::equal(replay.draw(10, Random(3), network_).activations, rows.activations));
  EXPECT_FALSE(torch::equal(replay.draw(10, Random(4), network_).activations, rows.activations));
}

}  // namespace
}  // namespace fer
