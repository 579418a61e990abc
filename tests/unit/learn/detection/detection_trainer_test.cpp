#include "learn/detection/detection_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "data/tiny_scenes.h"
#include "error_of.h"
#include "network/detector_file.h"
#include "network/detector_info.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::ScopedFolder;
using testing::HasSubstr;

/// Learns the tiny photos in seconds.
DetectionTrainConfig tiny_config() {
  DetectionTrainConfig config;
  config.network.stem_width = 8;
  config.network.stem_kernel = 5;
  config.network.widths = {12, 16, 16};
  config.network.depths = {1, 1, 1};
  config.network.kernels = {3, 3, 3};
  config.augment = {};
  config.augment.min_face = 20;
  config.augment.rotation = 3;
  config.augment.dark = config.augment.blur = config.augment.noise = 0;
  config.augment.compression = config.augment.erase = 0;
  config.augment.gamma = 0.1;
  config.epochs = 3;
  config.views = 32;
  config.batch = 8;
  config.side = 96;
  config.learning_rate = 1e-2;
  config.ema = 0.9;
  config.bf16 = false;
  config.threads = 1;
  return config;
}

class DetectionTrainerTest : public testing::Test {
 protected:
  DetectionTrainerTest() { test::write_tiny_scenes(folder_.path() / "scenes", 24); }

  DetectionDataset data() const { return DetectionDataset(folder_.path() / "scenes"); }
  fs::path out(const std::string& name) const { return folder_.path() / name; }

  TrainResult run(const DetectionTrainConfig& config, const std::string& name,
                  int stop_in_epoch = -1) const {
    std::atomic<bool> stop{false};
    const DetectionDataset photos = data();
    return train_detector(
        photos, config, out(name), [](const TrainProgress&) {},
        // Set between two epochs: the next one stops before its first step.
        [&](const json& epoch) { stop = epoch["epoch"] == stop_in_epoch; }, stop);
  }
  std::string version(const std::string& name, const char* file) const {
    return read_detector_info(out(name) / file).version;
  }
  std::vector<json> log(const std::string& name) const {
    std::vector<json> lines;
    std::ifstream in(out(name) / "log.jsonl");
    for (std::string line; std::getline(in, line);) {
      lines.push_back(json::parse(line));
      lines.back().erase("seconds");
    }
    return lines;
  }

  const ScopedFolder folder_;
};

TEST_F(DetectionTrainerTest, LearnsToFindDrawnFaces) {
  DetectionTrainConfig config = tiny_config();
  config.epochs = 24;
  config.views = 96;
  const TrainResult result = run(config, "run");
  EXPECT_FALSE(result.stopped);
  EXPECT_GT(result.best["average_precision"], 0.75);
  EXPECT_LT(result.last["loss"], log("run")[0]["loss"]);
  EXPECT_EQ(log("run").size(), 24u);

  const DetectionDataset photos = data();
  const DetectionScore score =
      score_detector(out("run") / "best.fer", photos, photos.photos("valid"), 16);
  EXPECT_EQ(score.photos(), 12u);
  EXPECT_NEAR(score.average_precision(), result.best["average_precision"].get<double>(), 1e-6);
  const double threshold = read_detector_info(out("run") / "best.fer").operating_score;
  EXPECT_GT(score.recall(threshold), 0.7);
  EXPECT_LT(score.points_error(threshold), 0.35);
}

TEST_F(DetectionTrainerTest, GoesOnToTheSameWeights) {
  const DetectionTrainConfig config = tiny_config();
  EXPECT_FALSE(run(config, "whole").stopped);
  EXPECT_TRUE(run(config, "parts", 0).stopped);
  EXPECT_EQ(log("parts").size(), 1u);
  EXPECT_FALSE(run(config, "parts").stopped);
  EXPECT_EQ(version("parts", "last.fer"), version("whole", "last.fer"));
  EXPECT_EQ(version("parts", "best.fer"), version("whole", "best.fer"));
  EXPECT_EQ(log("parts"), log("whole"));
}

TEST_F(DetectionTrainerTest, StartsFromGivenWeightsAndComputesTheSameAtFirst) {
  DetectionTrainConfig config = tiny_config();
  config.epochs = 12;
  config.views = 96;
  const TrainResult first = run(config, "first");
  config.init = std::make_shared<const DetectorFile>(read_detector(out("first") / "last.fer"));
  config.epochs = 1;
  config.learning_rate = 1e-9;
  run(config, "second");
  EXPECT_NEAR(log("second")[0]["average_precision"].get<double>(),
              first.last["average_precision"].get<double>(), 0.05);
  EXPECT_EQ(read_detector_info(out("second") / "last.fer").provenance["train"]["init"],
            version("first", "last.fer"));
  config.network.stem_width = 12;
  EXPECT_THAT(test::error_of([&] { run(config, "third"); }), HasSubstr("another network"));
}

TEST_F(DetectionTrainerTest, AnotherSeedGivesOtherWeights) {
  DetectionTrainConfig config = tiny_config();
  config.epochs = 1;
  run(config, "one");
  config.seed = 2;
  run(config, "other");
  EXPECT_NE(version("one", "last.fer"), version("other", "last.fer"));
}

TEST_F(DetectionTrainerTest, RefusesToGoOnWithOtherSettings) {
  DetectionTrainConfig config = tiny_config();
  config.epochs = 1;
  run(config, "run");
  config.side = 128;
  EXPECT_THAT(test::error_of([&] { run(config, "run"); }), HasSubstr("other settings"));
  config.side = 96;
  config.threads = 2;  // may differ
  EXPECT_EQ(test::error_of([&] { run(config, "run"); }), "");
}

TEST_F(DetectionTrainerTest, SaysWhichSettingIsWrong) {
  const auto complaint = [&](auto&& change) {
    DetectionTrainConfig config = tiny_config();
    change(config);
    return test::error_of([&] { run(config, "none"); });
  };
  EXPECT_THAT(complaint([](DetectionTrainConfig& c) { c.side = 100; }), HasSubstr("side"));
  EXPECT_THAT(complaint([](DetectionTrainConfig& c) { c.negatives = 1; }), HasSubstr("negatives"));
  EXPECT_THAT(complaint([](DetectionTrainConfig& c) {
                c.network.depths = {0, 1, 1};
              }),
              HasSubstr("depths"));
  EXPECT_FALSE(fs::exists(out("none")));
}

TEST_F(DetectionTrainerTest, NeedsFacesToLearnAndToSelectBy) {
  DetectionDatasetWriter writer;
  Random random(1);
  const auto photo = test::tiny_background(64, 64, random);
  writer.add(photo.scene, photo.pixels);
  writer.write(folder_.path() / "scenes", {{"train", "valid"}, {""}, ""});
  EXPECT_THAT(test::error_of([&] { run(tiny_config(), "run"); }), HasSubstr("no photo"));
}

}  // namespace
}  // namespace fer
