// The built program `fer`, from the outside. FER_PROGRAM names it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "content.h"
#include "detector_models.h"
#include "drawn_dataset.h"
#include "fer_program.h"
#include "learn/data/packed_dataset.h"
#include "model/safetensors.h"
#include "page_data.h"
#include "program/learning_commands.h"
#include "python.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::content;
using test::Fer;
using test::fer;
using test::Outcome;
using test::ScopedFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A dataset of drawn faces, packed, and a model that was trained on it for two epochs.
class FerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new ScopedFolder;
    csv_ = test::write_drawn_dataset(folder_->path() / "faces", 12);
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::string path(const std::string& name) { return folder_->path() / name; }

  /// The dataset, packed without a detector.
  static std::string packed() {
    const std::string file = path("faces.packed");
    if (!fs::exists(file)) {
      const Outcome done =
          fer({"pack", "--data", csv_, "--align", "never", "--size", "24", "--out", file});
      EXPECT_EQ(done.code, 0) << done.err;
    }
    return file;
  }

  static std::vector<std::string> train_arguments(const std::string& out, int epochs) {
    return {"train",   "--data", packed(),    "--out", out,      "--epochs", std::to_string(epochs),
            "--batch", "6",      "--threads", "1",     "--seed", "3",        "--fp32"};
  }

  /// Two labels of each of three classes, twelve faces without.
  static std::vector<std::string> semi_arguments(const std::string& out, int steps,
                                                 const std::string& method = "dta-snl") {
    return {"train",
            "--labeled",
            packed(),
            "--labels-per-class",
            "2",
            "--method",
            method,
            "--network",
            "fernet-small",
            "--steps",
            std::to_string(steps),
            "--epoch-steps",
            "3",
            "--batch",
            "6",
            "--mu",
            "1",
            "--threads",
            "1",
            "--seed",
            "3",
            "--fp32",
            "--out",
            out};
  }

  static std::string model() {
    const std::string file = path("run/last.fer");
    if (!fs::exists(file)) {
      const Outcome done = fer(train_arguments(path("run"), 2));
      EXPECT_EQ(done.code, 0) << done.err;
      EXPECT_THAT(done.out,
                  AllOf(HasSubstr("epoch   1"), HasSubstr("epoch   2"), HasSubstr("best.fer")));
    }
    return file;
  }

  static json info(const std::string& file) {
    const Outcome said = fer({"info", "--json", file});
    EXPECT_EQ(said.code, 0) << said.err;
    return json::parse(said.out);
  }

  static ScopedFolder* folder_;
  static std::string csv_;
};

ScopedFolder* FerTest::folder_;
std::string FerTest::csv_;

TEST_F(FerTest, SaysHowItIsUsed) {
  const Outcome help = fer({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* command : {"train", "eval", "pack", "export", "info", "doctor", "Exit codes"})
    EXPECT_THAT(help.out, HasSubstr(command));
  EXPECT_EQ(fer({"eval", "--help"}).code, 0);
  const Outcome version = fer({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, StartsWith("gst-fer "));
}

TEST_F(FerTest, HandsCommandsToTheProgramThatHasThem) {
  const std::string help = fer({"--help"}).out;
  EXPECT_THAT(help, Not(HasSubstr("Not installed")));
  for (const LearningCommand& command : kLearningCommands) {
    EXPECT_THAT(help, HasSubstr(command.about)) << command.name;
    const Outcome said = fer({command.name, "--help"});
    EXPECT_EQ(said.code, 0) << command.name;
    EXPECT_THAT(said.out, AllOf(StartsWith(command.about), HasSubstr("Usage: fer "))) << said.out;
  }
  // What it has besides is for `fer doctor` alone.
  const fs::path learn = fs::path(std::getenv("FER_PROGRAM")).replace_filename("fer-learn");
  const ProgramResult listed = run_program({learn.string(), "--help"}, std::chrono::seconds(60));
  std::istringstream lines(listed.out.substr(listed.out.find("Subcommands:")));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  ") || line[2] == ' ') continue;
    const std::string name = line.substr(2, line.find(' ', 2) - 2);
    EXPECT_TRUE(find_learning_command(name) || name == "doctor") << name << " cannot be reached";
  }
}

TEST_F(FerTest, ReturnsTwoForWrongUsage) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"dance"},
      {"pack", "--data", csv_},
      {"pack", "--out", path("x")},
      {"pack", "--data", csv_, "--join", packed(), "--out", path("x")},
      {"pack", "--data", csv_, "--out", path("x"), "--size", "3"},
      {"pack", "--data", csv_, "--out", path("x"), "--align", "perhaps"},
      {"train", "--data", csv_, "--out", path("x"), "--epochs", "many"},
      {"train", "--out", path("x")},
      {"train", "--data", csv_, "--labeled", csv_, "--method", "dta", "--out", path("x")},
      {"train", "--data", csv_, "--steps", "9", "--out", path("x")},
      {"train", "--labeled", csv_, "--out", path("x")},
      {"train", "--labeled", csv_, "--method", "mixmatch", "--out", path("x")},
      {"train", "--labeled", csv_, "--method", "dta", "--epochs", "3", "--out", path("x")},
      {"train", "--labeled", csv_, "--method", "dta", "--thresholds", "odd", "--out", path("x")},
      {"train", "--labeled", csv_, "--method", "dta", "--negatives", "snl:m=1", "--out", path("x")},
      {"train", "--labeled", csv_, "--method", "dta", "--init", path("none.fer"), "--out",
       path("x")},
      {"pretrain", "--out", path("x")},
      {"pretrain", "--data", csv_, "--method", "magic", "--out", path("x")},
      {"eval", "--data", csv_, "--classes", "neutral,hungry"},
      {"eval", "--data", csv_, "--plot", "plot.jpg"},
      {"eval", "--data", csv_, "--precision", "fp64"},
      {"eval", "--data", csv_, "--max-unreadable", "nan"},
      {"eval", "--data", csv_, "--prior-correction", "nan"},
      {"train", "--data", csv_, "--ema", "nan", "--out", path("x")},
      {"train", "--data", csv_, "--mixup", "1e300", "--out", path("x")},
      {"train", "--data", csv_, "--momentum", "-5", "--out", path("x")},
      {"train", "--data", csv_, "--learning-rate", "-1", "--out", path("x")},
      {"train", "--data", csv_, "--seed", "-1", "--out", path("x")},
      {"train", "--data", csv_, "--seed", "99999999999999999999", "--out", path("x")},
      {"replay", "--model", model(), "--data", packed(), "--frozen-blocks", "-7", "--out",
       path("x")},
      {"info"},
      {"export", model(), path("x")},
      {"export", "--onnx", path("missing.fer"), path("x")},
      {"export", "--onnx", model(), path("x"), "--batch", "-1"},
      {"doctor", "now"}};
  for (const auto& arguments : wrong) {
    const Outcome outcome = fer(arguments);
    EXPECT_EQ(outcome.code, 2) << testing::PrintToString(arguments);
    EXPECT_NE(outcome.err, "");
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_THAT(fer({"eval", "--data", csv_, "--classes", "neutral,hungry"}).err,
              HasSubstr("\"hungry\" names no expression"));
  EXPECT_THAT(fer({"train", "--labeled", csv_, "--method", "dta", "--thresholds", "odd", "--out",
                   path("x")})
                  .err,
              AllOf(HasSubstr("\"odd\""), HasSubstr("fixed"), HasSubstr("dta")));
}

TEST_F(FerTest, Packs) {
  const std::string file = path("new.packed");
  const Outcome done = fer({"pack", "--data", csv_, "--align", "never", "--size", "20", "--colour",
                            "--template", "arcface", "--out", file});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("new.packed: 36 faces of 20 x 20 px, 0 of them aligned"));
  const json about = info(file);
  EXPECT_EQ(about["kind"], "packed dataset");
  EXPECT_EQ(about["rows"], 36);
  EXPECT_EQ(about["channels"], 3);
  EXPECT_EQ(about["side"], 20);
  EXPECT_EQ(about["align_template"], "arcface");
  EXPECT_EQ(about["source"], "faces");
  EXPECT_EQ(about["labels"], json::parse(R"(["neutral","happiness","sadness"])"));
  EXPECT_EQ(about["splits"]["train"]["rows"], 18);
  EXPECT_EQ(about["splits"]["valid"]["labels"]["sadness"], 3);
  EXPECT_THAT(fer({"info", file}).out, AllOf(HasSubstr("packed dataset"), HasSubstr("sadness")));
}

TEST_F(FerTest, PacksOneSplit) {
  const std::string file = path("valid.packed");
  const Outcome done = fer({"pack", "--data", csv_, "--align", "never", "--size", "24", "--split",
                            "valid", "--out", file});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr(": 9 faces"));
  const PackedDataset data(file);
  for (std::size_t row = 0; row < data.size(); ++row) EXPECT_EQ(data.split(row), "valid");
  const Outcome none = fer({"pack", "--data", csv_, "--align", "never", "--split", "nightly",
                            "--out", path("none.packed")});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("nightly"));
}

TEST_F(FerTest, JoinsPackedDatasets) {
  const std::string file = path("joined.packed");
  const Outcome done = fer({"pack", "--join", packed(), packed(), "--out", file});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("joined.packed: 72 faces"));
  EXPECT_EQ(info(file)["splits"]["train"]["rows"], 36);
  EXPECT_THAT(fer({"pack", "--data", packed(), "--out", path("x")}).err, HasSubstr("--join"));
}

TEST_F(FerTest, AlignsFacesOrSaysWhyItCannot) {
  const Outcome done =
      fer({"pack", "--data", csv_, "--align", "always", "--out", path("aligned.packed")});
  if (test::landmark_detector_path().empty()) {
    EXPECT_EQ(done.code, 1);
    EXPECT_THAT(done.err, HasSubstr("scripts/models"));
  } else {
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("36 of them aligned"));
  }
}

TEST_F(FerTest, TrainsAndDescribesAModel) {
  const json about = info(model());
  EXPECT_EQ(about["kind"], "model");
  EXPECT_EQ(about["network"]["name"], "fernet");
  EXPECT_EQ(about["network"]["input_size"], 24);
  EXPECT_EQ(about["labels"], json::parse(R"(["neutral","happiness","sadness"])"));
  EXPECT_GT(about["parameters"], 1e6);
  EXPECT_GT(about["macs"], 1e7);
  EXPECT_EQ(about["version"].get<std::string>().size(), 12u);
  EXPECT_EQ(about["parent"], "");
  EXPECT_EQ(about["provenance"]["train"]["seed"], 3);
  EXPECT_EQ(about["prior"].size(), 3u);
  EXPECT_TRUE(about["thresholds"].is_null());
  EXPECT_EQ(about["bytes"], fs::file_size(model()));
  EXPECT_THAT(fer({"info", model()}).out,
              AllOf(HasSubstr("last.fer: model"), HasSubstr("multiply-accumulates"),
                    HasSubstr("24 x 24 px"), HasSubstr("no parent")));

  const json run = info(path("run/checkpoint"));
  EXPECT_EQ(run["kind"], "checkpoint");
  EXPECT_EQ(run["state"]["epoch"], 2);
  EXPECT_THAT(fer({"info", path("run/checkpoint")}).out, HasSubstr("2 done of 2"));

  const Outcome two = fer({"info", "--json", model(), packed()});
  EXPECT_EQ(std::count(two.out.begin(), two.out.end(), '\n'), 2);
}

TEST_F(FerTest, ShrinksAModel) {
  const std::string small = path("small.fer"), mirror = path("mirror.fer");
  const Outcome done = fer({"shrink", model(), small});
  ASSERT_EQ(done.code, 0) << done.err;
  const json before = info(model()), after = info(small);
  EXPECT_EQ(after["stored"], "bf16");
  EXPECT_LT(after["bytes"].get<double>(), 0.6 * before["bytes"].get<double>());
  EXPECT_EQ(after["provenance"], before["provenance"]);
  EXPECT_EQ(after["mirror"], false);
  EXPECT_THAT(fer({"info", small}).out, testing::Not(HasSubstr("mirror")));

  ASSERT_EQ(fer({"shrink", "--mirror", small, mirror}).code, 0);
  EXPECT_THAT(fer({"info", mirror}).out, HasSubstr("its mirror image too"));
  EXPECT_EQ(fer({"eval", "--model", mirror, "--data", packed(), "--split", "test"}).code, 0);
}

TEST_F(FerTest, AveragesModels) {
  const std::string mean = path("mean.fer");
  const Outcome done = fer({"average", model(), model(), "--out", mean});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("the mean of 2 models"));
  // Of one and the same model it is that model.
  EXPECT_EQ(info(mean)["version"], info(model())["version"]);
  EXPECT_EQ(fer({"average", model(), "--out", mean}).code, 2);
}

TEST_F(FerTest, Evaluates) {
  const std::string report = path("report.json"), plot = path("plot.png");
  const Outcome done = fer({"eval", "--model", model(), "--data", packed(), "--split", "test",
                            "--json", report, "--plot", plot});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("9 faces"), HasSubstr("accuracy"), HasSubstr("ms a face"),
                              HasSubstr("label \\ predicted")));
  EXPECT_THAT(done.out, testing::Not(HasSubstr("among")));
  const json figures = json::parse(content(report));
  EXPECT_EQ(figures["n"], 9);
  EXPECT_EQ(figures["labels"], json::parse(R"(["neutral","happiness","sadness"])"));
  EXPECT_EQ(figures["confusion"].size(), 3u);
  double right = 0, recalls = 0;
  for (int i = 0; i < 3; ++i) {
    const json& row = figures["confusion"][i];
    EXPECT_EQ(row[0].get<int>() + row[1].get<int>() + row[2].get<int>(), 3);
    right += row[i].get<double>();
    const std::string label = figures["labels"][i];
    EXPECT_DOUBLE_EQ(figures["recall"][label], row[i].get<double>() / 3);
    recalls += figures["recall"][label].get<double>();
  }
  EXPECT_DOUBLE_EQ(figures["accuracy"], right / 9);
  EXPECT_DOUBLE_EQ(figures["macro_recall"], recalls / 3);
  EXPECT_GT(figures["ms_per_face"], 0);
  EXPECT_EQ(figures["restricted"], false);
  EXPECT_EQ(figures["model_version"], info(model())["version"]);
  EXPECT_THAT(content(plot), StartsWith("\x89PNG"));
}

TEST_F(FerTest, EvaluatesImagesAsItDoesPackedOnes) {
  const auto report = [&](const std::string& data, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"eval",    "--model", model(),  "--data", data,
                                       "--align", "never",   "--json", "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome done = fer(arguments);
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("accuracy"));
    return json::parse(done.out);
  };
  const json packed_report = report(packed()), csv_report = report(csv_);
  EXPECT_EQ(csv_report["confusion"], packed_report["confusion"]);
  EXPECT_EQ(csv_report["n"], 36);
  EXPECT_EQ(csv_report["align"], "never");
  EXPECT_EQ(packed_report["align"], "packed");

  // A folder with a class less than the model knows.
  for (const char* name : {"happy0.png", "happy1.png"}) {
    fs::create_directories(path("by_class/joy"));
    fs::copy_file(path("faces") + "/" + name, path("by_class/joy/") + name,
                  fs::copy_options::overwrite_existing);
  }
  fs::create_directories(path("by_class/sad"));
  fs::copy_file(path("faces/sad0.png"), path("by_class/sad/1.png"),
                fs::copy_options::overwrite_existing);
  const json folder_report = report(path("by_class"));
  EXPECT_EQ(folder_report["n"], 3);
  EXPECT_EQ(folder_report["labels"], json::parse(R"(["happiness","sadness"])"));
  EXPECT_EQ(folder_report["restricted"], true);
  EXPECT_THAT(fer({"eval", "--model", model(), "--data", path("by_class"), "--align", "never"}).out,
              HasSubstr("among 2 of the model's 3 classes: happiness, sadness"));

  const json restricted = report(csv_, {"--classes", "sad,neutral", "--split", "test"});
  EXPECT_EQ(restricted["labels"], json::parse(R"(["sadness","neutral"])"));
  EXPECT_EQ(restricted["n"], 6);
  EXPECT_EQ(restricted["left_out"]["other_classes"], 3);
}

TEST_F(FerTest, WritesPredictionsAndComparesWithThem) {
  const std::string said = path("said.csv");
  const std::vector<std::string> evaluate{"eval",        "--model", model(),  "--data", packed(),
                                          "--resamples", "200",     "--json", "-"};
  const auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = evaluate;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return fer(arguments);
  };
  const Outcome written = with({"--predictions", said});
  ASSERT_EQ(written.code, 0) << written.err;
  EXPECT_THAT(content(said), AllOf(StartsWith("image,truth,neutral,happiness,sadness,predicted\n"),
                                   HasSubstr("\nhappy0.png,happiness,")));
  const json first = json::parse(written.out);
  EXPECT_EQ(first["bootstrap"]["resampled"], "images");
  EXPECT_LE(first["intervals"]["accuracy"][0], first["accuracy"]);
  EXPECT_GE(first["intervals"]["accuracy"][1], first["accuracy"]);

  // Against itself, by its file and by its predictions.
  const Outcome compared = with({"--compare", model(), "--compare-predictions", said});
  ASSERT_EQ(compared.code, 0) << compared.err;
  EXPECT_THAT(compared.err, HasSubstr("compared with " + said));
  const json both = json::parse(compared.out)["compared"];
  ASSERT_EQ(both.size(), 2u);
  for (const json& one : both) {
    EXPECT_EQ(one["difference"]["accuracy"]["value"], 0.0);
    EXPECT_EQ(one["difference"]["accuracy"]["interval"], json({0.0, 0.0}));
    EXPECT_EQ(one["other"]["accuracy"]["value"], first["accuracy"]);
  }
  // Images and packed ones have the same names.
  EXPECT_EQ(fer({"eval", "--model", model(), "--data", csv_, "--align", "never", "--resamples", "0",
                 "--compare-predictions", said})
                .code,
            0);
  const Outcome part = with({"--split", "test", "--compare-predictions", said});
  EXPECT_EQ(part.code, 1);
  EXPECT_THAT(part.err, HasSubstr("expected 9"));

  const Outcome corrected = with({"--prior-corrections", "0,.5,1"});
  ASSERT_EQ(corrected.code, 0) << corrected.err;
  const json rows = json::parse(corrected.out)["prior_corrections"];
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["difference"]["accuracy"]["value"], 0.0);
  EXPECT_EQ(rows[0]["measures"]["accuracy"]["value"], first["accuracy"]);
  const json asked = json::parse(with({"--prior-correction", "1"}).out);
  EXPECT_EQ(rows[2]["measures"]["accuracy"]["value"], asked["accuracy"]);
  EXPECT_NEAR(rows[2]["measures"]["nll"]["value"].get<double>(), asked["nll"].get<double>(), 1e-5);
}

TEST_F(FerTest, EvaluatesGroups) {
  const fs::path folder = path("grouped");
  fs::create_directories(folder);
  std::ofstream csv(folder / "labels.csv");
  csv << "image,label,split,age,person\n";
  for (int i = 0; i < 12; ++i) {
    const std::string label = i % 2 ? "happy" : "sad";
    const std::string name = std::to_string(i) + "_" + std::to_string(i % 2) + "_x.png";
    fs::copy_file(path("faces/" + label + std::to_string(i / 2) + ".png"), folder / name,
                  fs::copy_options::overwrite_existing);
    csv << name << "," << label << ",test," << 10 * i << ",p" << i % 5 << "\n";
  }
  csv.close();
  const std::string data = folder / "labels.csv", file = folder / "grouped.packed";
  const auto report = [&](const std::string& from, std::vector<std::string> more) {
    std::vector<std::string> arguments{"eval",  "--model",     model(), "--data", from, "--align",
                                       "never", "--resamples", "100",   "--json", "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome done = fer(arguments);
    EXPECT_EQ(done.code, 0) << done.err;
    return done.code == 0 ? json::parse(done.out) : json();
  };
  const json by_age = report(data, {"--group-by", "age", "--group-edges", "30,100"});
  EXPECT_EQ(by_age["bootstrap"]["resampled"], "persons");
  EXPECT_EQ(by_age["bootstrap"]["clusters"], 5);
  ASSERT_EQ(by_age["groups"].size(), 3u);
  EXPECT_EQ(by_age["groups"][0]["group"], "below 30");
  EXPECT_EQ(by_age["groups"][0]["measures"]["n"], 3);
  EXPECT_EQ(by_age["groups"][1]["measures"]["n"], 7);
  const json by_name = report(data, {"--group-from-name", "2"});
  ASSERT_EQ(by_name["groups"].size(), 2u);
  EXPECT_EQ(by_name["groups"][1]["measures"]["n"], 6);
  EXPECT_TRUE(by_name["groups"][1]["measures"]["recall"]["sadness"]["value"].is_null());

  const auto error_of = [](const std::vector<std::string>& arguments) {
    const Outcome done = fer(arguments);
    EXPECT_EQ(done.code, 1) << done.err;
    return done.err;
  };
  const std::vector<std::string> base{"eval", "--model", model(), "--align", "never", "--data"};
  const auto refused = [&](const std::string& from, const std::string& column) {
    std::vector<std::string> arguments = base;
    arguments.insert(arguments.end(), {from, "--group-by", column});
    return error_of(arguments);
  };
  EXPECT_THAT(refused(data, "sex"), AllOf(HasSubstr("labels.csv, line 1"), HasSubstr("\"sex\""),
                                          HasSubstr("image, label, split, age, person")));
  EXPECT_THAT(refused(path("faces"), "sex"), HasSubstr("which has no columns"));
  ASSERT_EQ(fer({"pack", "--data", data, "--align", "never", "--size", "24", "--columns", "age",
                 "--out", file})
                .code,
            0);
  EXPECT_EQ(report(file, {"--group-by", "age", "--group-edges", "30,100"})["groups"],
            by_age["groups"]);
  EXPECT_THAT(refused(file, "sex"), HasSubstr("fer pack --columns sex"));
  EXPECT_EQ(fer({"eval", "--data", data, "--group-edges", "30"}).code, 2);
  EXPECT_EQ(fer({"eval", "--data", data, "--group-by", "age", "--group-edges", "30,20"}).code, 2);
  EXPECT_EQ(fer({"eval", "--data", data, "--group-by", "age", "--group-from-name", "1"}).code, 2);
}

TEST_F(FerTest, CalibratesAModel) {
  // After two epochs the logits say nothing yet of the labels that they are to fit.
  const std::string trained = path("fitted/last.fer");
  std::vector<std::string> arguments = train_arguments(path("fitted"), 60);
  arguments.insert(arguments.end(), {"--ema", "0.9", "--learning-rate", "0.02"});
  ASSERT_EQ(fer(arguments).code, 0);
  const std::string out = path("calibrated.fer");
  const Outcome done = fer({"calibrate", "--model", trained, "--data", packed(), "--split", "train",
                            "--prior-correction", "0.25", "--out", out});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("temperature"), HasSubstr("after, faces held out"),
                              HasSubstr(out + ": version ")));
  const json before = info(trained), after = info(out);
  EXPECT_TRUE(before["calibration"].is_null());
  const double temperature = after["calibration"]["temperature"];
  EXPECT_NE(temperature, 1);
  EXPECT_NE(after["version"], before["version"]);
  EXPECT_EQ(after["prior_correction"], 0.25);
  EXPECT_EQ(after["operating_points"].size(), 3u);
  EXPECT_EQ(after["stored"], before["stored"]);
  EXPECT_EQ(after["provenance"]["calibration"]["of"], before["version"]);
  EXPECT_THAT(fer({"info", out}).out,
              AllOf(HasSubstr("temperature"), HasSubstr("to the power of 0.25")));

  // What it is fitted on gets likelier; and twice is as once.
  const auto nll = [&](const std::string& file) {
    const Outcome said = fer({"eval", "--model", file, "--data", packed(), "--split", "train",
                              "--prior-correction", "0", "--resamples", "0", "--json", "-"});
    EXPECT_EQ(said.code, 0) << said.err;
    return json::parse(said.out)["nll"].get<double>();
  };
  EXPECT_LT(nll(out), nll(trained));
  const std::string again = path("again.fer");
  ASSERT_EQ(
      fer({"calibrate", "--model", out, "--data", packed(), "--split", "train", "--out", again})
          .code,
      0);
  EXPECT_NEAR(info(again)["calibration"]["temperature"].get<double>(), temperature, 1e-4);
  EXPECT_EQ(info(again)["prior_correction"], 0.25) << "as the file had it";

  const Outcome refused = fer({"calibrate", "--model", trained, "--data", packed(), "--split",
                               "exam", "--out", path("none.fer")});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("no split \"exam\""));
  EXPECT_FALSE(fs::exists(path("none.fer")));
}

TEST_F(FerTest, FindsTheModelThatIsCalledLikeTheShippedOne) {
  fs::create_directories(path("models"));
  fs::copy_file(model(), path("models/fernet.fer"), fs::copy_options::overwrite_existing);
  const test::ScopedVariable variable("FER_MODELS", path("models"));
  const Outcome done = fer({"eval", "--data", packed()});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("models/fernet.fer"));
}

TEST_F(FerTest, ReturnsOneForBadInputAndSaysWhatWasExpected) {
  const std::string broken = path("broken.csv");
  std::ofstream(broken) << "image,label\na.png,sad\nb.png\n";
  std::ofstream(path("text.fer")) << "this is no model";
  const std::string good = model();
  struct Case {
    std::vector<std::string> arguments;
    std::string expected;
  };
  const std::vector<Case> cases{
      {{"pack", "--data", path("none.csv"), "--out", path("x.packed")}, "none.csv: no such file"},
      {{"pack", "--data", broken, "--out", path("x.packed")},
       "broken.csv, line 3: expected 2 fields, found 1"},
      {{"pack", "--data", packed(), "--out", path("x.packed")}, "faces.packed: expected a folder"},
      {{"pack", "--data", csv_, "--out", path("none/x.packed")},
       "none/x.packed: there is no folder"},
      {{"train", "--data", packed(), "--out", path("x"), "--batch", "4096"},
       "fewer than one batch of 4096"},
      {{"train", "--data", packed(), "--out", path("x"), "--network", "vgg"}, "\"vgg\""},
      {{"train", "--data", packed(), "--out", path("x"), "--resume"}, "checkpoint to go on from"},
      {{"train", "--labeled", packed(), "--labels-per-class", "7", "--method", "dta", "--out",
        path("x")},
       "faces.packed: expected 7 labelled faces of each class in split train, found 6 of "
       "\"neutral\""},
      {{"train", "--labeled", packed(), "--method", "dta", "--out", path("x")}, "none left"},
      {{"train", "--labeled", packed(), "--unlabeled", path("none.packed"), "--method", "dta",
        "--out", path("x")},
       "none.packed"},
      {{"eval", "--model", path("none.fer"), "--data", packed()}, "none.fer: cannot open"},
      {{"eval", "--model", path("text.fer"), "--data", packed()},
       "text.fer: expected a safetensors file"},
      {{"eval", "--model", packed(), "--data", packed()}, "expected a model file"},
      {{"eval", "--model", good, "--data", good}, "expected a packed dataset"},
      {{"eval", "--model", good, "--data", packed(), "--split", "exam"}, "no split \"exam\""},
      {{"eval", "--model", good, "--data", csv_, "--split", "exam"}, "no split \"exam\""},
      {{"eval", "--model", good, "--data", packed(), "--classes", "fear,anger"}, "\"fear\""},
      {{"eval", "--model", good, "--data", packed(), "--json", path("none/r.json")},
       "there is no folder"},
      {{"info", path("text.fer")}, "text.fer: expected a safetensors file"},
      {{"info", csv_}, "labels.csv: expected a safetensors file"}};
  for (const Case& c : cases) {
    const Outcome outcome = fer(c.arguments);
    EXPECT_EQ(outcome.code, 1) << testing::PrintToString(c.arguments);
    EXPECT_THAT(outcome.err, AllOf(StartsWith("fer: "), HasSubstr(c.expected)));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
  EXPECT_FALSE(fs::exists(path("x.packed")));
}

TEST_F(FerTest, GoesOnAfterItWasKilled) {
  ASSERT_EQ(fer(train_arguments(path("whole"), 5)).code, 0);
  Fer killed(train_arguments(path("pieces"), 5));
  killed.wait_until([&] { return !content(path("pieces/log.jsonl")).empty(); });
  killed.signal(SIGKILL);
  killed.wait();
  const Outcome rest = fer(train_arguments(path("pieces"), 5));
  EXPECT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(info(path("pieces/last.fer"))["version"], info(path("whole/last.fer"))["version"]);
  EXPECT_EQ(info(path("pieces/best.fer"))["version"], info(path("whole/best.fer"))["version"]);
  const std::string log = content(path("pieces/log.jsonl"));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 5) << log;

  const Outcome other = fer(train_arguments(path("pieces"), 6));
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.err, AllOf(HasSubstr("other settings"), HasSubstr("epochs")));
}

TEST_F(FerTest, SavesAndReturns130WhenInterrupted) {
  for (const int number : {SIGINT, SIGTERM}) {
    const std::string out = path("interrupted" + std::to_string(number));
    Fer run(train_arguments(out, 100000));
    run.wait_until([&] { return !content(fs::path(out) / "log.jsonl").empty(); });
    run.signal(number);
    const Outcome outcome = run.wait();
    EXPECT_EQ(outcome.code, 130) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("the same command goes on"));
    EXPECT_GE(info(out + "/checkpoint")["state"]["epoch"], 1);
  }
}

TEST_F(FerTest, TrainsFromFewLabels) {
  auto arguments = semi_arguments(path("semi"), 6);
  arguments.insert(arguments.end(), {"--thresholds", "dta"});
  const Outcome done = fer(arguments);
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("6 labelled faces of 3 classes, 12 unlabelled, 9 to"),
                              HasSubstr("step      3"), HasSubstr("step      6"),
                              HasSubstr("accepted"), HasSubstr("best.fer: step")));
  const std::string log = content(path("semi/log.jsonl"));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2) << log;
  const json last = json::parse(log.substr(log.find('\n') + 1));
  // Nobody is sure of anything after six steps, and both the log and the terminal say so.
  ASSERT_FALSE(last["never_accepted"].empty());
  EXPECT_THAT(done.err, HasSubstr("in 6 steps no face was accepted as"));
  for (const std::string label : last["never_accepted"])
    EXPECT_THAT(done.err, HasSubstr(label + " (0.80)"));
  const json run = json::parse(content(path("semi/run.json")));
  EXPECT_EQ(run["state"], "done");
  EXPECT_EQ(run["seed"], 3);
  EXPECT_EQ(run["labeled"], packed());
  EXPECT_EQ(run["labels_per_class"], 2);
  EXPECT_EQ(run["faces"]["unlabelled"], 12);
  EXPECT_EQ(run["faces"]["labelled"]["sadness"], 2);
  EXPECT_EQ(run["options"]["method"]["lambda_n"], 0.1);
  EXPECT_EQ(run["options"]["network"]["name"], "fernet-small");
  EXPECT_EQ(run["policies"]["thresholds"]["settings"]["beta"], 0.97);
  EXPECT_EQ(run["command"][1], "train");
  EXPECT_GT(run["wall_s"], 0);
  EXPECT_EQ(run["last"], last);
  EXPECT_FALSE(run["versions"]["libtorch"].get<std::string>().empty());
  EXPECT_TRUE(run["host"].contains("name"));
  EXPECT_TRUE(run.contains("commit"));
  EXPECT_EQ(info(path("semi/best.fer"))["thresholds"]["policy"], "dta");
  EXPECT_EQ(fer({"eval", "--model", path("semi/last.fer"), "--data", packed()}).code, 0);
}

TEST_F(FerTest, TrainsFromAShareOfTheLabels) {
  auto arguments = semi_arguments(path("share"), 3);
  const auto count = std::find(arguments.begin(), arguments.end(), "--labels-per-class");
  *count = "--label-share";
  *(count + 1) = "0.5";
  const Outcome done = fer(arguments);
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("9 labelled faces of 3 classes, 9 unlabelled"));
  EXPECT_EQ(json::parse(content(path("share/run.json")))["label_share"], 0.5);
}

TEST_F(FerTest, SaysWhereItCannotCompute) {
  auto arguments = semi_arguments(path("nowhere"), 3);
  arguments.insert(arguments.end(), {"--device", "cuda:99"});
  const Outcome done = fer(arguments);
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("device cuda:99: "));
  EXPECT_FALSE(fs::exists(path("nowhere/checkpoint")));
}

TEST_F(FerTest, TakesPoliciesAndNetworkPartsByName) {
  std::vector<std::string> arguments = semi_arguments(path("named"), 3, "fixmatch");
  for (const char* word :
       {"--thresholds", "soft:momentum=0.9", "--negatives", "ups", "--unlabeled", csv_.c_str(),
        "--align", "never", "--size", "24", "--attention-branches", "0"})
    arguments.push_back(word);
  const Outcome done = fer(arguments);
  ASSERT_EQ(done.code, 0) << done.err;
  const json run = json::parse(content(path("named/run.json")));
  EXPECT_EQ(run["faces"]["unlabelled"], 12 + 18);
  EXPECT_EQ(run["policies"]["thresholds"]["settings"]["momentum"], 0.9);
  EXPECT_EQ(run["policies"]["negatives"]["policy"], "ups");
  EXPECT_EQ(run["options"]["method"]["lambda_n"], 0.1);
  EXPECT_EQ(info(path("named/last.fer"))["network"]["attention_branches"], 0);
}

TEST_F(FerTest, GoesOnFromFewLabelsAfterItWasKilled) {
  ASSERT_EQ(fer(semi_arguments(path("semi-whole"), 15)).code, 0);
  Fer killed(semi_arguments(path("semi-pieces"), 15));
  // The first epoch is kept once its checkpoint is.
  killed.wait_until([&] { return fs::exists(path("semi-pieces/checkpoint")); });
  killed.signal(SIGKILL);
  killed.wait();
  std::vector<std::string> again = semi_arguments(path("semi-pieces"), 15);
  again.push_back("--resume");
  const Outcome rest = fer(again);
  EXPECT_EQ(rest.code, 0) << rest.err;
  for (const char* file : {"/last.fer", "/best.fer"}) {
    EXPECT_EQ(info(path("semi-pieces") + file)["version"],
              info(path("semi-whole") + file)["version"]);
  }
  const std::string log = content(path("semi-pieces/log.jsonl"));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 5) << log;
}

TEST_F(FerTest, SavesAndReturns130WhenInterruptedWithFewLabels) {
  const std::string out = path("semi-interrupted");
  Fer run(semi_arguments(out, 1000000));
  run.wait_until([&] { return !content(fs::path(out) / "log.jsonl").empty(); });
  run.signal(SIGINT);
  const Outcome outcome = run.wait();
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("the same command goes on"));
  EXPECT_EQ(json::parse(content(out + "/run.json"))["state"], "stopped");
  EXPECT_GE(info(out + "/checkpoint")["state"]["epoch"], 1);
}

TEST_F(FerTest, PretrainsAStartThatTrainingTakes) {
  const auto arguments = [&](const std::string& out, const std::string& steps) {
    return std::vector<std::string>{
        "pretrain",      "--data", packed(),    csv_,           "--align", "never", "--size",  "24",
        "--out",         out,      "--network", "fernet-small", "--steps", steps,   "--batch", "6",
        "--epoch-steps", "3",      "--fp32",    "--threads",    "1"};
  };
  const Outcome done = fer(arguments(path("pre"), "6"));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("36 faces to learn from, 9 labelled ones to watch by"),
                              HasSubstr("neighbours on valid"), HasSubstr("fer train --init")));
  const json run = json::parse(content(path("pre/run.json")));
  EXPECT_EQ(run["state"], "done");
  EXPECT_EQ(run["options"]["method"], "contrast");
  const std::string start = path("pre/last.fer");
  const json about = info(start);
  EXPECT_TRUE(about["labels"].empty());
  EXPECT_THAT(fer({"info", start}).out, HasSubstr("none: a start for fer train --init"));
  const Outcome refused = fer({"eval", "--model", start, "--data", packed()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("without a head"));

  // Killed and repeated, the same.
  Fer killed(arguments(path("pre-pieces"), "6"));
  killed.wait_until([&] { return fs::exists(path("pre-pieces/checkpoint")); });
  killed.signal(SIGKILL);
  killed.wait();
  EXPECT_EQ(fer(arguments(path("pre-pieces"), "6")).code, 0);
  EXPECT_EQ(info(path("pre-pieces/last.fer"))["version"], about["version"]);

  auto semi = semi_arguments(path("from-start"), 3, "supervised");
  semi.insert(semi.end(), {"--init", start});
  const Outcome trained = fer(semi);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(info(path("from-start/last.fer"))["parent"], about["version"]);
  EXPECT_EQ(json::parse(content(path("from-start/run.json")))["init"], start);
  // The packed faces' own kind of training wants another network.
  auto whole = train_arguments(path("other"), 1);
  whole.insert(whole.end(), {"--init", start});
  const Outcome other = fer(whole);
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.err, AllOf(HasSubstr("last.fer"), HasSubstr("stem_width")));
}

TEST_F(FerTest, ReportsOnRunsAndLearners) {
  fs::create_directories(path("a-run"));
  std::ofstream(path("a-run/log.jsonl")) << R"({"epoch":0,"accuracy":0.5,"loss":1})" << '\n';
  fs::create_directories(path("a-learner"));
  std::ofstream(path("a-learner/log.jsonl"))
      << R"({"steps":7,"serving_version":"abc","loss":2.5,"decision":""})"
      << "\n{\"steps\":8,";
  const std::string page = path("page.html");
  const Outcome done = fer({"report", path("a-run"), path("a-learner"), "--out", page});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("1 run, 1 learner"));
  const test::PageData data(content(page));
  EXPECT_THAT(data.texts("heading"), testing::IsSupersetOf({"a-run", "a-learner"}));
  EXPECT_EQ(data.at("Training loss", "all", 1), 1);
  EXPECT_EQ(data.at("Losses of the last step", "all", 7), 2.5);
  const Outcome without =
      Fer({"report", path("a-run"), "--out", page}, {{"FER_CHART_JS", path("gone.js")}}).wait();
  EXPECT_EQ(without.code, 1);
  EXPECT_THAT(without.err, AllOf(HasSubstr("gone.js"), HasSubstr("libjs-chart.js")));
  fs::create_directories(path("neither"));
  const Outcome bad = fer({"report", path("neither"), "--out", page});
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.err, HasSubstr("neither/log.jsonl"));
}

TEST_F(FerTest, AdaptsToImagesThatNobodyLabelled) {
  // Beside the images, without a word on what they show.
  const std::string csv = path("faces/stream.csv");
  std::ofstream(csv) << "image,person\n";
  for (int i = 0; i < 12; ++i) {
    for (const char* name : {"neutral", "happy", "sad"})
      std::ofstream(csv, std::ios::app) << name << i << ".png,person" << i % 5 << '\n';
  }
  const std::string out = path("adapted.fer"), report = path("adapted.json");
  const auto adapt = [&](const std::vector<std::string>& more, const char* min_memory = "6") {
    std::vector<std::string> words{
        "adapt",  "--model", model(), "--input",      csv,       "--align",  "never",  "--out",
        out,      "--json",  report,  "--threads",    "1",       "--replay", packed(), "--canary",
        packed(), "--seed",  "4",     "--min-memory", min_memory};
    words.insert(words.end(), more.begin(), more.end());
    return fer(words);
  };
  const std::vector<std::string> open{"--thresholds", "fixed:tau=0", "--without", "canary"};
  Outcome done = adapt(open);
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("adapted from"), HasSubstr("promotions")));
  const json adapted = info(out);
  EXPECT_EQ(adapted["parent"], info(model())["version"]);
  const json figures = json::parse(content(report));
  EXPECT_EQ(figures["promoted"], true);
  EXPECT_GT(figures["stats"]["steps"], 0);
  EXPECT_EQ(figures["config"]["guards"]["canary"], false);
  ASSERT_FALSE(figures["decisions"].empty());
  EXPECT_EQ(figures["decisions"].back()["decision"], "promoted");
  EXPECT_TRUE(figures["watched"].empty());
  std::vector<std::string> watching = open;
  for (const char* word : {"--target", "--source"}) {
    watching.insert(watching.end(), {word, packed(), word + std::string("-split"), "test"});
  }
  const std::string page = path("adapted.html");
  watching.insert(watching.end(), {"--source-classes", "neutral,happiness", "--report", page});
  done = adapt(watching);
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(info(out)["version"], adapted["version"]) << "watching changes nothing";
  const json watched = json::parse(content(report))["watched"];
  ASSERT_GE(watched.size(), 2u);
  EXPECT_EQ(watched.front()["version"], info(model())["version"]);
  EXPECT_EQ(watched.back()["version"], adapted["version"]);
  EXPECT_EQ(watched.back()["faces"], 36);
  EXPECT_EQ(watched.back()["target"]["recall"].size(), 3u);
  EXPECT_EQ(watched.back()["source"]["recall"].size(), 2u);
  EXPECT_THAT(done.out, AllOf(HasSubstr("target       macro recall"), HasSubstr("at worst")));
  EXPECT_THAT(content(page), HasSubstr("Macro recall on the canary"));

  std::vector<std::string> briefly = open;
  briefly.insert(briefly.end(), {"--max-steps", "2"});
  EXPECT_EQ(adapt(briefly).code, 0);
  EXPECT_EQ(json::parse(content(report))["stats"]["steps"], 2);

  done = adapt({"--report", page}, /*min_memory=*/"1000");
  EXPECT_EQ(done.code, 3) << done.err;
  EXPECT_THAT(done.out, HasSubstr("nothing better was found"));
  for (const std::string& said : {done.out, content(page)})
    EXPECT_THAT(said, HasSubstr("tracklets that a first step needs are remembered"));
  EXPECT_EQ(content(out), content(model()));
  EXPECT_EQ(json::parse(content(report))["stats"]["steps"], 0);

  std::ofstream(csv) << "person\nsomebody\n";
  done = adapt({});
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("column \"image\""));
  EXPECT_EQ(adapt({"--without", "luck"}).code, 1);
}

TEST_F(FerTest, AdaptsToAFewLabelsOfTheStreamItself) {
  const auto list = [&](const std::string& file, int first, int last, bool labelled) {
    std::ofstream csv(path("faces/" + file));
    csv << "image,label\n";
    for (int i = first; i < last; ++i) {
      for (const char* name : {"neutral", "happy", "sad"})
        csv << name << i << ".png," << (labelled ? name : "") << '\n';
    }
    return path("faces/" + file);
  };
  const std::string stream = list("shown.csv", 0, 10, false);
  const auto adapt = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{
        "adapt",      "--model",      model(),    "--input",   stream,     "--align", "never",
        "--out",      path("l.fer"),  "--replay", packed(),    "--canary", packed(),  "--stages",
        "prototypes", "--min-memory", "6",        "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return fer(words);
  };
  Outcome done = adapt({"--labels", list("known.csv", 0, 4, true)});
  EXPECT_THAT(done.code, testing::AnyOf(0, 3)) << done.err;
  EXPECT_THAT(done.out, HasSubstr("labels       12 faces of the stream"));
  done = adapt({"--labels", list("known.csv", 0, 4, true), "--labels-per-class", "2"});
  EXPECT_THAT(done.out, HasSubstr("labels       6 faces of the stream"));

  const Outcome strange = adapt({"--labels", list("other.csv", 8, 12, true)});
  EXPECT_EQ(strange.code, 1);
  EXPECT_THAT(strange.err, AllOf(HasSubstr("other.csv: expected faces of the stream itself"),
                                 HasSubstr("found 6 of 12 that it does not show")));
  std::ofstream(path("faces/named.csv")) << "image,label,stream\nneutral0.png,neutral,door.mp4\n";
  EXPECT_THAT(adapt({"--labels", path("faces/named.csv")}).err,
              AllOf(HasSubstr("named.csv, line 2: expected a face of the stream itself"),
                    HasSubstr("found one of \"door.mp4\"")));
  EXPECT_THAT(adapt({"--labels", list("nothing.csv", 0, 2, false)}).code, 1);
}

TEST_F(FerTest, MakesReplayAndCanaryThatAreFoundBesideTheModel) {
  const std::string file = path("own.fer");
  fs::copy_file(model(), file);
  const std::vector<std::string> adapt{
      "adapt", "--model", file, "--input", packed(), "--out", path("x.fer"), "--least-memory", "6"};
  EXPECT_THAT(fer(adapt).err, HasSubstr("none lie beside the model"));
  const Outcome done = fer({"replay", "--model", file, "--data", packed(), "--per-class", "4",
                            "--canary-per-class", "2", "--out", path("own")});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("own.replay: 12 faces"), HasSubstr("own.canary: 6 faces")));
  EXPECT_THAT(fer(adapt).code, testing::AnyOf(0, 3));

  // What fails leaves what is there.
  const std::string canary = content(path("own.canary"));
  const auto replay = [&](const std::string& split, const std::string& out) {
    return fer({"replay", "--model", file, "--data", packed(), "--split", split, "--out", out});
  };
  EXPECT_EQ(replay("none", path("own")).code, 1);
  EXPECT_EQ(content(path("own.canary")), canary);
  // A dot in a name is no ending; that of a model is.
  EXPECT_EQ(replay("train", path("run-1.2")).code, 0);
  EXPECT_TRUE(fs::exists(path("run-1.2.replay")));
  EXPECT_EQ(replay("train", path("beside.fer")).code, 0);
  EXPECT_TRUE(fs::exists(path("beside.canary")));
}

TEST_F(FerTest, KeepsWhatItReads) {
  const std::string data = path("kept.packed");
  fs::copy_file(packed(), data, fs::copy_options::overwrite_existing);
  const std::string run = path("kept-run");
  fs::create_directories(run);
  std::ofstream(run + "/log.jsonl") << "{\"epoch\":0}\n";
  const std::vector<std::vector<std::string>> commands{
      {"eval", "--model", model(), "--data", data, "--json", data},
      {"eval", "--model", model(), "--data", data, "--json", model()},
      {"pack", "--data", csv_, "--out", csv_},
      {"pack", "--join", data, data, "--out", data},
      {"adapt", "--model", model(), "--input", csv_, "--out", csv_},
      {"average", model(), model(), "--out", model()},
      {"shrink", model(), model()},
      {"report", run, "--out", run + "/log.jsonl"}};
  const std::string before = content(data), weights = content(model()), list = content(csv_);
  for (const auto& command : commands) {
    const Outcome refused = fer(command);
    EXPECT_EQ(refused.code, 1) << testing::PrintToString(command);
    EXPECT_THAT(refused.err, HasSubstr("is read by this command"));
  }
  EXPECT_EQ(content(data), before);
  EXPECT_EQ(content(model()), weights);
  EXPECT_EQ(content(csv_), list);
  const std::string both = path("both.svg");
  EXPECT_THAT(fer({"eval", "--model", model(), "--data", data, "--json", both, "--plot", both}).err,
              HasSubstr("two files at once"));
}

TEST_F(FerTest, SaysThatStandardOutputIsFull) {
  const ProgramResult full =
      run_program({"sh", "-c", "exec \"$FER_PROGRAM\" info --json \"$0\" > /dev/full", packed()},
                  std::chrono::seconds(60));
  EXPECT_EQ(full.status, 1);
}

TEST_F(FerTest, LeavesAFolderToTheTrainingThatWorksThere) {
  const std::string out = path("shared");
  Fer first(semi_arguments(out, 1000000));
  first.wait_until([&] { return !content(fs::path(out) / "log.jsonl").empty(); });
  const Outcome second = fer(semi_arguments(out, 1000000));
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, AllOf(HasSubstr("shared: expected a folder"), HasSubstr("training")));
  const Outcome another = fer(train_arguments(out, 2));
  EXPECT_EQ(another.code, 1);
  EXPECT_THAT(another.err, AllOf(HasSubstr("other settings"), HasSubstr("name another folder")));
  first.signal(SIGINT);
  EXPECT_EQ(first.wait().code, 130);
  std::ofstream(path("a-file")) << "x";
  EXPECT_THAT(fer(train_arguments(path("a-file/below"), 2)).err,
              HasSubstr("expected a folder to write to, found a file at"));
}

TEST_F(FerTest, WritesNamesThatAreNoUtf8) {
  const std::string odd = path("caf\xe9");
  test::write_drawn_dataset(odd, 4);
  const std::string file = odd + "/faces.packed";
  ASSERT_EQ(fer({"pack", "--data", odd + "/labels.csv", "--align", "never", "--size", "24", "--out",
                 file})
                .code,
            0);
  EXPECT_THAT(info(file)["file"].get<std::string>(), HasSubstr("caf\xef\xbf\xbd/faces.packed"));
  const Outcome done = fer({"eval", "--model", model(), "--data", file, "--json", "-"});
  EXPECT_EQ(done.code, 0) << done.err;
  auto arguments = train_arguments(odd + "/run", 1);
  EXPECT_EQ(fer(arguments).code, 0);
}

TEST_F(FerTest, ExportsAModelWithWhatOthersNeedBesideIt) {
  const std::string out = path("model.onnx"), proc = path("model.json"),
                    labels = path("labels.txt");
  const Outcome done =
      fer({"export", "--onnx", model(), out, "--model-proc", proc, "--labels", labels});
#ifdef HAVE_ONNX
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out,
              AllOf(HasSubstr(info(model())["version"].get<std::string>()),
                    HasSubstr("pixels: N x 1 x 24 x 24"), HasSubstr("probabilities: N x 3")));
  EXPECT_GT(fs::file_size(out), 4e6);
  EXPECT_EQ(json::parse(content(proc))["output_postproc"][0]["labels"],
            json::parse(R"(["neutral","happiness","sadness"])"));
  EXPECT_EQ(content(labels), "neutral\nhappiness\nsadness\n");
  const Outcome other = fer({"export", "--onnx", model(), out, "--logits", "--batch", "2"});
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_THAT(other.out, AllOf(HasSubstr("pixels: 2 x 1"), HasSubstr("logits: 2 x 3")));
#else
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, AllOf(HasSubstr("model.onnx"), HasSubstr("libonnx-dev")));
#endif
}

TEST_F(FerTest, SaysWhatItCannotExport) {
#ifndef HAVE_ONNX
  GTEST_SKIP() << "built without ONNX";
#endif
  const ScopedFolder out;
  const std::string file = out.path() / "model.onnx";
  const auto refusal = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"export", "--onnx"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome refused = fer(arguments);
    EXPECT_EQ(refused.code, 1) << testing::PrintToString(arguments);
    return refused.err;
  };
  EXPECT_THAT(refusal({csv_, file}), HasSubstr("labels.csv"));
  EXPECT_THAT(refusal({packed(), file}),
              AllOf(HasSubstr("faces.packed: expected a model file"), HasSubstr("gst-fer-faces")));
  EXPECT_THAT(refusal({model(), file + "/deeper.onnx"}), HasSubstr("there is no folder"));
  EXPECT_THAT(refusal({model(), out.path()}), HasSubstr("expected a file to write"));
  EXPECT_THAT(refusal({model(), model()}), HasSubstr("last.fer: is read by this command"));
  EXPECT_THAT(refusal({model(), file, "--labels", file}), HasSubstr("for two files"));
  EXPECT_THAT(refusal({model(), file, "--labels", path("missing/labels.txt")}),
              HasSubstr("missing/labels.txt"));
  EXPECT_TRUE(fs::is_empty(out.path()));
}

TEST_F(FerTest, WritesModelsThatPythonReads) {
  if (!test::python_has("numpy, safetensors")) {
    GTEST_SKIP() << test::python() << " has no safetensors; FER_TEST_PYTHON may name one that has";
  }
  const ProgramResult read =
      run_program({test::python(), READ_MODEL, model()}, std::chrono::seconds(60));
  ASSERT_EQ(read.status, 0);
  const json found = json::parse(read.out);
  EXPECT_EQ(found["metadata"]["format"], "gst-fer/2");
  EXPECT_EQ(json::parse(found["metadata"]["model"].get<std::string>())["version"],
            info(model())["version"]);
  const SafetensorsFile ours(model());
  EXPECT_EQ(found["shapes"].size(), ours.tensors().size());
  for (const auto& [name, tensor] : ours.tensors())
    EXPECT_EQ(found["shapes"][name], json(tensor.shape)) << name;
  const auto* bias = static_cast<const float*>(ours.at("head.bias", DType::kF32, 1).data);
  EXPECT_EQ(found["head.bias"].get<std::vector<float>>(), std::vector<float>(bias, bias + 3));
}

TEST_F(FerTest, LeavesNothingOfAnInterruptedPack) {
  const fs::path folder = path("long");
  fs::create_directories(folder);
  test::write_face(folder / "face.png", 0);
  {
    std::ofstream csv(folder / "labels.csv");
    csv << "image,label,split\n";
    for (int i = 0; i < 200000; ++i) csv << "face.png,sad,train\n";
  }
  const ScopedFolder out;
  Fer run({"pack", "--data", folder / "labels.csv", "--align", "never", "--size", "16", "--out",
           out.path() / "long.packed"});
  run.wait_until([&] { return run.catches_signals(); });
  run.signal(SIGINT);
  EXPECT_EQ(run.wait().code, 130);
  EXPECT_TRUE(fs::is_empty(out.path()));
}

TEST_F(FerTest, DoctorNamesWhatIsMissingAndTheRemedy) {
  const test::ScopedVariable search("PATH", path("nowhere"));
  const Outcome said = fer({"doctor"});
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.out, AllOf(HasSubstr("LibTorch"), HasSubstr("face detector"),
                              HasSubstr("Prometheus"), HasSubstr("MISSING  GStreamer"),
                              HasSubstr("apt-get install"), HasSubstr("cannot run")));
  const Outcome machine = fer({"doctor", "--json"});
  EXPECT_EQ(machine.code, 1);
  const json report = json::parse(machine.out);
  EXPECT_EQ(report["runs"], false);
  bool found = false;
  for (const json& finding : report["findings"]) {
    if (finding["what"] != "GStreamer") continue;
    found = true;
    EXPECT_EQ(finding["verdict"], "missing");
    EXPECT_NE(finding["remedy"], "");
  }
  EXPECT_TRUE(found);
}

/// A gst-inspect-1.0 that knows every element.
TEST_F(FerTest, DoctorIsContentWhereEverythingIsThere) {
  const fs::path bin = path("bin");
  fs::create_directories(bin);
  {
    std::ofstream script(bin / "gst-inspect-1.0");
    script << "#!/bin/sh\n"
              "case \"$1\" in\n"
              "  --version) echo 'gst-inspect-1.0 version 1.22.0' ;;\n"
              "  --exists) ;;\n"
              "  *) printf 'Plugin Details:\\n  Filename   /somewhere/libgstfer.so\\n"
              "  Version    9.8.7\\n' ;;\n"
              "esac\n";
  }
  fs::permissions(bin / "gst-inspect-1.0", fs::perms::owner_all);
  fs::create_directories(path("models"));
  fs::copy_file(model(), path("models/fernet.fer"), fs::copy_options::overwrite_existing);
  if (find_detector_model().path.empty()) GTEST_SKIP() << "no face detector model was found";
  const char* before = std::getenv("FER_MODELS");
  const test::ScopedVariable models(
      "FER_MODELS", path("models") + (before ? ":" + std::string(before) : std::string()));
  const test::ScopedVariable search("PATH", bin.string());
  const Outcome said = fer({"doctor"});
  EXPECT_EQ(said.code, 0) << said.out;
  EXPECT_THAT(said.out,
              AllOf(HasSubstr("9.8.7, /somewhere/libgstfer.so"), HasSubstr("1.22.0"),
                    HasSubstr(info(model())["version"].get<std::string>()), HasSubstr("can run")));

  fs::remove(path("models/fernet.fer"));
  std::ofstream(path("models/fernet.fer")) << "broken";
  const Outcome broken = fer({"doctor"});
  EXPECT_EQ(broken.code, 1);
  EXPECT_THAT(broken.out, AllOf(HasSubstr("MISSING  expression model"), HasSubstr("replace")));
}

}  // namespace
}  // namespace fer
