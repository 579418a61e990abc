#include "learn/pretrain/pretrainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <memory>

#include "data/still_augment.h"
#include "data/tiny_dataset.h"
#include "error_of.h"
#include "learn/supervised/trainer.h"
#include "model/classifier.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class PretrainerTest : public testing::Test {
 protected:
  PretrainerTest() {
    write_packed(folder_.path() / "faces", test::tiny_info(), test::tiny_rows(40));
    packed_ = std::make_unique<PackedDataset>(folder_.path() / "faces");
    data_ = pretrain_data({packed_.get()});
  }

  static PretrainConfig config(const std::string& method = "contrast") {
    PretrainConfig config;
    config.network = test::tiny_train_config().network;
    config.method = method;
    // The place of the light is what tells the tiny faces apart.
    config.views.shift = 0.02;
    config.views.rotation = 3;
    config.views.scale = config.views.stretch = 0.03;
    config.steps = 40;
    config.epoch_steps = 10;
    config.batch = 12;
    config.hidden = 16;
    config.embedding = 8;
    config.ema = 0.9;
    config.bf16 = false;
    config.threads = 1;
    return config;
  }

  fs::path out(const std::string& name) const { return folder_.path() / name; }

  TrainResult run(const PretrainConfig& config, const std::string& name,
                  int stop_in_epoch = -1) const {
    std::atomic<bool> stop{false};
    return pretrain(
        data_, config, out(name),
        [&](const TrainProgress& p) {
          if (p.epoch == stop_in_epoch) stop = true;
        },
        [](const json&) {}, stop);
  }

  /// The lines of a run's log; without what differs from run to run.
  std::vector<json> log(const std::string& name) const {
    std::vector<json> lines;
    std::ifstream in(out(name) / "log.jsonl");
    for (std::string line; std::getline(in, line);) {
      json entry = json::parse(line);
      for (const char* time : {"seconds", "data_share", "images_per_second"}) {
        EXPECT_GE(entry.at(time).get<double>(), 0);
        entry.erase(time);
      }
      lines.push_back(std::move(entry));
    }
    return lines;
  }

  std::string version(const std::string& name) const {
    return read_model_info(out(name) / "last.fer").version;
  }

  std::string error_of(const PretrainConfig& config, const std::string& name) const {
    return test::error_of([&] { run(config, name); });
  }

  const test::ScopedFolder folder_;
  std::unique_ptr<PackedDataset> packed_;
  PretrainData data_;
};

TEST_F(PretrainerTest, TakesSplitTrainAndWatchesByValid) {
  EXPECT_EQ(data_.faces.size(), 3 * 40u);
  for (const FaceRef& face : data_.faces) EXPECT_EQ(packed_->split(face.row), "train");
  EXPECT_EQ(data_.watched.size(), 3 * 14u);
  for (const FaceRef& face : data_.watched) {
    EXPECT_EQ(packed_->split(face.row), "valid");
    EXPECT_EQ(face.label, packed_->label(face.row));
  }
  EXPECT_EQ(data_.info.labels, test::tiny_labels());
}

TEST_F(PretrainerTest, TakesAllOfADatasetWithoutSplits) {
  PackedInfo info = test::tiny_info();
  info.splits = {""};
  std::vector<PackedRow> rows = test::tiny_rows(2);
  for (PackedRow& row : rows) row.split = 0;
  rows[0].duplicate = true;
  write_packed(folder_.path() / "more", info, rows);
  const PackedDataset more(folder_.path() / "more");
  const PretrainData both = pretrain_data({&more, packed_.get(), &more});
  EXPECT_EQ(both.faces.size(), 3 * 40 + rows.size() - 1);
  EXPECT_EQ(both.watched.size(), 3 * 14u);
  EXPECT_EQ(both.info.source, "tiny + tiny");

  info.crops.side = 8;
  for (PackedRow& row : rows) row.crop.resize(64);
  write_packed(folder_.path() / "small", info, rows);
  const PackedDataset small(folder_.path() / "small");
  EXPECT_THAT(test::error_of([&] {
                pretrain_data({packed_.get(), &small});
              }),
              AllOf(HasSubstr("small"), HasSubstr("16 x 16 px"), HasSubstr("8 x 8 px")));
}

TEST_F(PretrainerTest, LearnsWhatTellsFacesApartByEachMethod) {
  for (const char* method : {"contrast", "regression"}) {
    PretrainConfig c = config(method);
    c.steps = 120;
    c.epoch_steps = 30;
    const TrainResult result = run(c, method);
    EXPECT_FALSE(result.stopped);
    const auto lines = log(method);
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_LT(lines[3]["loss"], lines[0]["loss"]) << method;
    EXPECT_GT(lines[3]["knn_accuracy"], 0.8) << method;
    EXPECT_GT(lines[3]["knn_macro_recall"], 0.8) << method;
    EXPECT_GT(lines[3]["spread"], 0.3) << method;
    EXPECT_GT(lines[3]["dimensions"], 1) << method;
    EXPECT_LE(lines[3]["dimensions"], 8) << method;
    EXPECT_EQ(lines[3]["collapsed"], false) << method;
    EXPECT_EQ(lines[3]["step"], 120);
  }
  EXPECT_NE(version("contrast"), version("regression"));
}

TEST_F(PretrainerTest, LearnsInBf16Too) {
  PretrainConfig c = config();
  c.steps = 120;
  c.bf16 = true;
  EXPECT_GT(run(c, "run").last["knn_accuracy"], 0.8);
}

TEST_F(PretrainerTest, GoesOnAsIfItHadNeverStopped) {
  for (const char* method : {"contrast", "regression"}) {
    const PretrainConfig c = config(method);
    const std::string whole = std::string("whole-") + method;
    const std::string pieces = std::string("pieces-") + method;
    run(c, whole);
    // Stopped after its first ten steps, which is to say at the end of the epoch.
    EXPECT_TRUE(run(c, pieces, 0).stopped);
    EXPECT_TRUE(run(c, pieces, 2).stopped);
    const TrainResult result = run(c, pieces);
    EXPECT_FALSE(result.stopped);
    EXPECT_EQ(result.last["epoch"], 3);
    EXPECT_EQ(version(pieces), version(whole)) << method;
    EXPECT_EQ(log(pieces), log(whole)) << method;
    EXPECT_EQ(log(whole).size(), 4u);
  }
}

TEST_F(PretrainerTest, SaysWhereTheEmbeddingHasCollapsed) {
  // Faces that are all one have nothing by which to tell them apart.
  std::vector<PackedRow> rows = test::tiny_rows(10);
  for (PackedRow& row : rows) row.crop = rows[0].crop;
  write_packed(folder_.path() / "one", test::tiny_info(), rows);
  const PackedDataset one(folder_.path() / "one");
  data_ = pretrain_data({&one});
  PretrainConfig c = config("regression");
  c.views = test::still_augment();
  c.network.drop_branch = 0;
  c.steps = 10;
  const TrainResult result = run(c, "run");
  EXPECT_LT(result.last["spread"], kCollapsedSpread);
  EXPECT_EQ(result.last["collapsed"], true);
}

TEST_F(PretrainerTest, ChoosesNoModelByLabels) {
  const TrainResult result = run(config(), "run");
  EXPECT_TRUE(result.best.is_null());
  EXPECT_FALSE(fs::exists(out("run") / "best.fer"));
  // Without labels to watch by, the same start.
  data_.watched.clear();
  run(config(), "blind");
  EXPECT_EQ(version("blind"), version("run"));
  EXPECT_FALSE(log("blind").back().contains("knn_accuracy"));
}

TEST_F(PretrainerTest, LeavesAStartThatTrainingTakesAndServingRefuses) {
  PretrainConfig c = config();
  c.steps = 120;
  run(c, "run");
  const fs::path start = out("run") / "last.fer";
  const ModelInfo info = read_model_info(start);
  EXPECT_TRUE(info.labels.empty());
  EXPECT_EQ(info.provenance["pretrain"]["method"], "contrast");
  EXPECT_EQ(info.provenance["data"], "tiny");
  EXPECT_THAT(test::error_of([&] { Classifier::open(start, Precision::kFp32); }),
              AllOf(HasSubstr("last.fer"), HasSubstr("without a head"), HasSubstr("--init")));

  TrainConfig train_config = test::tiny_train_config();
  train_config.init = InitialWeights(start);
  train_config.epochs = 1;
  const std::atomic<bool> stop{false};
  const auto trained = [&](const TrainConfig& t, const char* name) {
    return train(
        *packed_, t, out(name), [](const TrainProgress&) {}, [](const json&) {}, stop);
  };
  trained(train_config, "trained");
  EXPECT_EQ(read_model_info(out("trained") / "last.fer").parent, info.version);
  // Nothing of the trunk but the start is left where nothing is learnt.
  train_config.learning_rate = 0;
  train_config.ema = 0;
  trained(train_config, "still");
  EXPECT_EQ(read_model_info(out("still") / "last.fer").mean, info.mean);
}

TEST_F(PretrainerTest, RefusesToGoOnWithOtherSettingsOrFaces) {
  PretrainConfig c = config();
  c.steps = 10;
  run(c, "run");
  const std::vector<std::pair<std::string, std::function<void(PretrainConfig&)>>> changes{
      {"steps", [](PretrainConfig& c) { c.steps = 30; }},
      {"method", [](PretrainConfig& c) { c.method = "regression"; }},
      {"temperature", [](PretrainConfig& c) { c.temperature = 1; }},
      {"erase", [](PretrainConfig& c) { c.views.erase = 0; }}};
  for (const auto& [name, change] : changes) {
    PretrainConfig other = c;
    change(other);
    EXPECT_THAT(error_of(other, "run"), AllOf(HasSubstr("other settings"), HasSubstr(name)));
  }
  c.threads = 2;
  EXPECT_EQ(error_of(c, "run"), "");
  data_.faces.pop_back();
  EXPECT_THAT(error_of(c, "run"), AllOf(HasSubstr("other settings"), HasSubstr("faces")));
}

TEST_F(PretrainerTest, NamesWhatItCannotLearnFrom) {
  PretrainConfig c = config();
  c.network.input_size = 24;
  EXPECT_THAT(error_of(c, "run"), AllOf(HasSubstr("24 px"), HasSubstr("16 px")));
  c = config("magic");
  EXPECT_THAT(error_of(c, "run"), AllOf(HasSubstr("magic"), HasSubstr("contrast")));
  c = config();
  c.batch = 1000;
  EXPECT_THAT(error_of(c, "run"), AllOf(HasSubstr("120 faces"), HasSubstr("1000")));
  EXPECT_FALSE(fs::exists(out("run")));
}

}  // namespace
}  // namespace fer
