#include "stream/watched_faces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "error_of.h"
#include "network/model_file.h"
#include "tiny_learner.h"

namespace fer {
namespace {

using test::error_of;
using test::TinySource;
using testing::ElementsAre;
using testing::HasSubstr;

class WatchedFacesTest : public testing::Test {
 protected:
  /// The source with another head: it says one class, whatever it sees.
  ModelFile says(int label) const {
    ModelFile model = source_;
    model.weights["head.weight"] = torch::zeros_like(model.weights["head.weight"]);
    model.weights["head.bias"] = torch::zeros({3});
    model.weights["head.bias"][label] = 5;
    return model;
  }

  const ModelFile source_ = read_model(TinySource::get().model());
  const PackedDataset data_{TinySource::get().packed()};
};

TEST_F(WatchedFacesTest, ScoresAModelWhereverItIsCut) {
  WatchedFaces whole(data_, "test", {}, source_, std::nullopt);
  WatchedFaces cut(data_, "test", {}, source_, 1);
  EXPECT_EQ(whole.size(), 60u);
  const Confusion expected = whole.score(source_);
  EXPECT_GT(expected.accuracy(), 0.85);
  EXPECT_EQ(cut.score(source_).to_json(), expected.to_json());
  EXPECT_NEAR(cut.score(says(1)).recall(1), 1, 1e-9);
  EXPECT_NEAR(cut.score(says(1)).macro_recall(), 1.0 / 3, 1e-9);
  // Nothing of the model before stays behind.
  EXPECT_EQ(cut.score(source_).to_json(), expected.to_json());
}

TEST_F(WatchedFacesTest, ScoresWhatACalibratedModelSays) {
  WatchedFaces watched(data_, "test", {}, source_, 1);
  ModelFile biased = source_;
  biased.info.calibration.bias = {0, 100, 0};
  EXPECT_NEAR(watched.score(biased).recall(1), 1, 1e-9);
  EXPECT_NEAR(watched.score(biased).macro_recall(), 1.0 / 3, 1e-9);
}

TEST_F(WatchedFacesTest, TakesPredictionsAmongTheClassesThatCount) {
  WatchedFaces two(data_, "test", {"surprise", "neutral"}, source_, 1);
  EXPECT_EQ(two.size(), 40u);
  const Confusion scored = two.score(says(1));  // happiness, which does not count
  EXPECT_THAT(scored.labels(), ElementsAre("surprise", "neutral"));
  EXPECT_EQ(scored.total(), 40);
}

TEST_F(WatchedFacesTest, SaysWhatItCannotWatch) {
  const auto complaint = [&](const std::string& split, const std::vector<std::string>& classes) {
    return error_of([&] { WatchedFaces(data_, split, classes, source_, 1); });
  };
  EXPECT_THAT(complaint("test", {"boredom"}), HasSubstr("\"boredom\""));
  EXPECT_THAT(complaint("nowhere", {}), HasSubstr("nowhere"));
  ModelFile other = source_;
  other.info.align_template = "arcface";
  EXPECT_THAT(error_of([&] { WatchedFaces(data_, "test", {}, other, 1); }), HasSubstr("arcface"));
}

}  // namespace
}  // namespace fer
