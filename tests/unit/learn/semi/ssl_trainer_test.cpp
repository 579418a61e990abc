#include "learn/semi/ssl_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <memory>

#include "data/tiny_dataset.h"
#include "error_of.h"
#include "learn/features/feature_file.h"
#include "model/model_info.h"
#include "model/safetensors.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

/// Four labels of each of three classes of the tiny dataset, the rest without.
class SslTrainerTest : public testing::Test {
 protected:
  SslTrainerTest() {
    write_packed(folder_.path() / "faces", test::tiny_info(), test::tiny_rows(60));
    faces_ = std::make_unique<PackedDataset>(folder_.path() / "faces");
    data_ = drawn(4);
  }

  SslData drawn(int labels, std::uint64_t seed = 1) const {
    SslSources sources;
    sources.labelled = faces_.get();
    sources.labels_per_class = labels;
    sources.seed = seed;
    return ssl_data(sources);
  }

  static SslConfig config(const std::string& method) {
    SslConfig config;
    config.network = test::tiny_train_config().network;
    config.method = method_named(method);
    config.weak.shift = config.strong.shift = 0.02;
    // The place of the light is the label: nothing that moves or hides much of it.
    config.strong.strength = 0.3;
    config.strong.cutout = 0.2;
    config.steps = 60;
    config.epoch_steps = 15;
    config.batch = 6;
    config.ema = 0.9;
    config.bf16 = false;
    config.threads = 1;
    return config;
  }

  fs::path out(const std::string& name) const { return folder_.path() / name; }

  TrainResult run(const SslConfig& config, const std::string& name, int stop_in_epoch = -1) const {
    std::atomic<bool> stop{false};
    return train_semi_supervised(
        data_, config, out(name),
        [&](const TrainProgress& p) {
          if (p.epoch == stop_in_epoch && p.step < p.steps) stop = true;
        },
        [](const json&) {}, stop);
  }

  /// The lines of a run's log; without what differs from run to run.
  std::vector<json> log(const std::string& name) const {
    std::vector<json> lines;
    std::ifstream in(out(name) / "log.jsonl");
    for (std::string line; std::getline(in, line);) {
      json entry = json::parse(line);
      EXPECT_GE(entry.at("data_share").get<double>(), 0);
      for (const char* time : {"seconds", "data_share", "images_per_second"}) entry.erase(time);
      lines.push_back(std::move(entry));
    }
    return lines;
  }

  std::string version(const std::string& name, const std::string& file) const {
    return read_model_info(out(name) / file).version;
  }

  std::string error_of(const SslConfig& config, const std::string& name) const {
    return test::error_of([&] { run(config, name); });
  }

  const test::ScopedFolder folder_;
  std::unique_ptr<PackedDataset> faces_;
  SslData data_;
};

TEST_F(SslTrainerTest, LearnsFromFewLabelsByEachMethod) {
  for (const Method& method : methods()) {
    if (method.map_heads) continue;  // It needs features: tests/unit/learn/features.
    SslConfig c = config(method.name);
    // Four labels of each class are too few for five folds.
    if (const auto& rule = c.method.thresholds; rule.starts_with("dta-cv"))
      c.method.thresholds = rule + (rule.find(':') == std::string::npos ? ":" : ",") + "folds=2";
    c.steps = 120;
    c.epoch_steps = 40;
    const TrainResult result = run(c, method.name);
    EXPECT_FALSE(result.stopped);
    EXPECT_GT(result.best["macro_recall"], 0.85) << method.name;
    EXPECT_EQ(result.last["step"], 120);
  }
}

TEST_F(SslTrainerTest, LearnsInBf16Too) {
  SslConfig c = config("dta-snl");
  c.steps = 150;
  c.bf16 = true;
  EXPECT_GT(run(c, "run").best["macro_recall"], 0.9);
}

TEST_F(SslTrainerTest, GoesOnAsIfItHadNeverStopped) {
  for (const char* method : {"dta-snl", "ada-cm", "flexmatch"}) {
    const SslConfig c = config(method);
    const std::string whole = std::string("whole-") + method;
    const std::string pieces = std::string("pieces-") + method;
    run(c, whole);
    EXPECT_TRUE(run(c, pieces, 0).stopped);
    EXPECT_FALSE(fs::exists(out(pieces) / "checkpoint"));
    EXPECT_TRUE(run(c, pieces, 1).stopped);
    EXPECT_TRUE(run(c, pieces, 3).stopped);
    const TrainResult result = run(c, pieces);
    EXPECT_FALSE(result.stopped);
    EXPECT_EQ(result.last["epoch"], 3);
    for (const char* file : {"last.fer", "best.fer"})
      EXPECT_EQ(version(pieces, file), version(whole, file)) << method << ' ' << file;
    EXPECT_EQ(log(pieces), log(whole)) << method;
    ASSERT_EQ(log(whole).size(), 4u);
  }
}

TEST_F(SslTrainerTest, IsTheSameForASeedAndAnotherForAnother) {
  SslConfig c = config("fixmatch");
  c.steps = 15;
  run(c, "one");
  run(c, "same");
  c.seed = 2;
  run(c, "other");
  EXPECT_EQ(version("one", "last.fer"), version("same", "last.fer"));
  EXPECT_NE(version("one", "last.fer"), version("other", "last.fer"));
}

TEST_F(SslTrainerTest, LogsWhatBecameOfPseudoLabels) {
  SslConfig c = config("fixmatch");
  c.method.thresholds = "fixed:tau=0";
  c.method.negatives = "lowest:n=1";
  c.method.lambda_n = 0.1;
  // What is accepted unseen should not be believed.
  c.method.lambda_u = 0.01;
  c.steps = 120;
  c.epoch_steps = 30;
  run(c, "open");
  const auto lines = log("open");
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_LT(lines[3]["loss_x"], lines[0]["loss_x"]);
  for (const json& line : lines) {
    EXPECT_EQ(line["accept_rate"], 1);
    EXPECT_EQ(line["thresholds"]["happiness"], 0);
    // All are accepted, so nothing is ruled out.
    EXPECT_EQ(line["negatives"], 0);
    EXPECT_EQ(line["loss_n"], 0);
    double shares = 0, right = 0;
    for (const auto& [label, share] : line["pseudo_labels"].items()) {
      shares += share.get<double>();
      if (share > 0) right += share.get<double>() * line["purities"][label].get<double>();
    }
    EXPECT_NEAR(shares, 1, 1e-5);
    EXPECT_NEAR(right, line["purity"], 1e-4);
  }
  EXPECT_GT(lines[3]["purity"], 0.8);
  EXPECT_TRUE(lines[3]["never_accepted"].empty());

  c.method.thresholds = "fixed:tau=1";
  run(c, "closed");
  const json last = log("closed").back();
  EXPECT_EQ(last["accept_rate"], 0);
  EXPECT_TRUE(last["purity"].is_null());
  EXPECT_EQ(last["loss_u"], 0);
  EXPECT_EQ(last["negatives"], 1);
  EXPECT_LT(last["negative_errors"], 0.2);
  EXPECT_GT(last["loss_n"], 0);
  EXPECT_EQ(last["never_accepted"], json(test::tiny_labels()));
}

TEST_F(SslTrainerTest, LooksAtLabelsAloneWhereTheMethodDoes) {
  SslConfig c = config("supervised");
  data_.unlabelled.clear();
  run(c, "run");
  const json last = log("run").back();
  EXPECT_EQ(last["loss"], last["loss_x"]);
  EXPECT_FALSE(last.contains("accept_rate"));
  EXPECT_TRUE(read_model_info(out("run") / "last.fer").thresholds.is_null());
}

TEST_F(SslTrainerTest, WritesWhatServingNeeds) {
  SslConfig c = config("dta-snl");
  c.steps = 20;
  run(c, "run");
  EXPECT_EQ(log("run").size(), 2u);
  EXPECT_EQ(log("run").back()["step"], 20);
  const ModelInfo info = read_model_info(out("run") / "last.fer");
  EXPECT_EQ(info.labels, test::tiny_labels());
  EXPECT_EQ(info.provenance["train"]["method"]["name"], "dta-snl");
  EXPECT_EQ(info.thresholds["policy"], "dta");
  EXPECT_EQ(info.thresholds["thresholds"].size(), 3u);
  for (float share : info.prior) EXPECT_NEAR(share, 1 / 3.f, 1e-5);
}

TEST_F(SslTrainerTest, SelectsByWhatIsAsked) {
  SslConfig c = config("supervised");
  c.select = "accuracy";
  const TrainResult result = run(c, "run");
  double best = 0;
  for (const json& line : log("run")) best = std::max(best, line["accuracy"].get<double>());
  EXPECT_EQ(result.best["accuracy"], best);
}

TEST_F(SslTrainerTest, RefusesToGoOnWithOtherSettingsOrFaces) {
  SslConfig c = config("dta");
  c.steps = 15;
  run(c, "run");
  const std::vector<std::pair<std::string, std::function<void(SslConfig&)>>> changes{
      {"steps", [](SslConfig& c) { c.steps = 30; }},
      {"seed", [](SslConfig& c) { c.seed = 5; }},
      {"thresholds", [](SslConfig& c) { c.method.thresholds = "dta:beta=0.9"; }},
      {"cutout", [](SslConfig& c) { c.strong.cutout = 0; }}};
  for (const auto& [name, change] : changes) {
    SslConfig other = c;
    change(other);
    EXPECT_THAT(error_of(other, "run"),
                testing::AllOf(HasSubstr("other settings"), HasSubstr(name)));
  }
  c.threads = 2;
  EXPECT_EQ(error_of(c, "run"), "");
  data_ = drawn(4, 2);
  EXPECT_THAT(error_of(c, "run"), testing::AllOf(HasSubstr("other settings"), HasSubstr("faces")));
}

TEST_F(SslTrainerTest, NamesWhatItCannotLearnFrom) {
  SslConfig c = config("dta");
  c.network.input_size = 24;
  EXPECT_THAT(error_of(c, "run"), testing::AllOf(HasSubstr("24 px"), HasSubstr("16 px")));
  data_.unlabelled.clear();
  EXPECT_THAT(error_of(config("dta"), "run"), HasSubstr("none left"));
  EXPECT_FALSE(fs::exists(out("run")));
}

TEST_F(SslTrainerTest, StartsFromAModelFile) {
  const fs::path start = test::train_tiny_model(out("start"));
  const std::string parent = read_model_info(start).version;
  SslConfig c = config("dta-snl");
  c.init = InitialWeights(start);
  c.learning_rate = 1e-6;
  c.steps = 30;
  run(c, "run");
  EXPECT_GT(log("run").front()["macro_recall"], 0.9) << "so little was learnt: from the start";
  const ModelInfo info = read_model_info(out("run") / "last.fer");
  EXPECT_EQ(info.parent, parent);
  EXPECT_EQ(info.provenance["train"]["init"], parent);

  EXPECT_TRUE(run(c, "pieces", 1).stopped);
  run(c, "pieces");
  EXPECT_EQ(version("pieces", "last.fer"), version("run", "last.fer"));
  c.init = InitialWeights();
  EXPECT_THAT(error_of(c, "run"), testing::AllOf(HasSubstr("other settings"), HasSubstr("init")));
}

TEST_F(SslTrainerTest, LeavesFrozenBlocksAsTheyAre) {
  const fs::path start = test::train_tiny_model(out("start"));
  SslConfig c = config("dta-snl");
  c.init = InitialWeights(start);
  c.frozen_blocks = 1;
  c.steps = 30;
  FeatureConfig above;
  above.blocks = 1;
  ASSERT_TRUE(write_features(out("features"), *faces_, start, above,
                             [](std::size_t, std::size_t) { return true; }));
  const PackedDataset features(out("features"));
  SslSources sources;
  sources.labelled = &features;
  sources.labels_per_class = 4;
  data_ = ssl_data(sources);
  c.features = feature_views({&features}, 0.2);
  run(c, "run");
  EXPECT_GT(log("run").front()["macro_recall"], 0.9) << "what the views show is not the faces";

  const SafetensorsFile before(start), after(out("run") / "last.fer");
  int same = 0, changed = 0;
  for (const auto& [name, tensor] : before.tensors()) {
    const TensorView& now = after.tensors().at(name);
    const bool is_below = name.starts_with("stem") || name.starts_with("blocks.0.");
    const bool is_same = std::memcmp(tensor.data, now.data, tensor.bytes) == 0;
    EXPECT_TRUE(!is_below || is_same) << name;
    ++(is_same ? same : changed);
  }
  EXPECT_GT(same, 5);
  EXPECT_GT(changed, 5) << "all of it was frozen";

  EXPECT_TRUE(run(c, "pieces", 1).stopped);
  run(c, "pieces");
  EXPECT_EQ(version("pieces", "last.fer"), version("run", "last.fer"));
}

TEST_F(SslTrainerTest, NamesWhatHeadsOnFrozenMapsNeed) {
  EXPECT_THAT(error_of(config("cv-soft"), "run"),
              testing::AllOf(HasSubstr("cv-soft"), HasSubstr("fer pack --features")));
}

TEST_F(SslTrainerTest, NamesWhatFrozenBlocksNeed) {
  SslConfig c = config("dta");
  c.frozen_blocks = 1;
  EXPECT_THAT(error_of(c, "run"), HasSubstr("need a start"));
  c.frozen_blocks = 9;
  EXPECT_THAT(error_of(c, "run"), HasSubstr("found 9"));
}

}  // namespace
}  // namespace fer
