// The built program `fer` with networks of others: ONNX files with a description. FER_PROGRAM names
// the program, SHIPPED_MODEL a model of ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "content.h"
#include "data/tiny_onnx.h"
#include "drawn_dataset.h"
#include "fer_program.h"
#include "scoped.h"

namespace fer {
namespace {

using namespace test;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kDescription[] = R"({
  "input": {"range": [0, 1]},
  "output": {"type": "logits"},
  "labels": ["happy", "sad", "neutral"]
})";

class ForeignCli : public testing::Test {
 protected:
  ForeignCli() {
    // Grey crops of 32 px: the middle of the mouth, of a cheek, and a constant.
    TinyOnnx net = picking_onnx({1, 1, 32, 32}, {24 * 32 + 16, 16 * 32 + 8, 0}, 3);
    net.weight[2][0] = 0;
    net.bias[2] = 1.5f;
    folder_.write("net.json", kDescription);
    net_ = folder_.write("net.onnx", net.bytes());
  }
  std::string path(const char* name) const { return (folder_.path() / name).string(); }
  std::string faces() const { return write_drawn_dataset(folder_.path() / "faces", 24); }

  ScopedFolder folder_;
  std::string net_;
};

TEST_F(ForeignCli, InfoSaysWhatTheyAre) {
  const Outcome said = fer({"info", net_});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out,
              AllOf(HasSubstr("net.onnx: ONNX network"), HasSubstr("2 operators"),
                    HasSubstr("grey, 32 x 32 px, nchw"),
                    HasSubstr("logits of happiness, sadness, neutral"), HasSubstr("net.json")));
  const Outcome as_json = fer({"info", "--json", net_});
  const json about = json::parse(as_json.out);
  EXPECT_EQ(about["kind"], "ONNX network");
  EXPECT_EQ(about["parameters"], 3 * 1024 + 3);
  EXPECT_EQ(about["input"]["color_space"], "grey");
  EXPECT_EQ(about["labels"], json({"happiness", "sadness", "neutral"}));
  EXPECT_EQ(about["version"].get<std::string>().size(), 12u);
}

TEST_F(ForeignCli, EvalMeasuresThem) {
  const Outcome done = fer({"eval", "--model", net_, "--data", faces(), "--align", "never",
                            "--resamples", "0", "--json", path("eval.json")});
  ASSERT_EQ(done.code, 0) << done.err;
  const json report = json::parse(content(path("eval.json")));
  EXPECT_EQ(report["n"], 72);
  EXPECT_GE(report["accuracy"].get<double>(), 0);
  const Outcome contempt = fer(
      {"eval", "--model", net_, "--data", faces(), "--align", "never", "--classes", "happy,anger"});
  EXPECT_EQ(contempt.code, 1);
  EXPECT_THAT(contempt.err, HasSubstr("expected a model that knows \"anger\", found one that knows "
                                      "happiness,sadness,neutral"));
}

TEST_F(ForeignCli, OurOwnExportSaysWhatTheModelSays) {
  const char* shipped = std::getenv("SHIPPED_MODEL");
  ASSERT_NE(shipped, nullptr);
  const Outcome exported =
      fer({"export", "--onnx", shipped, path("own.onnx"), "--model-proc", path("own.json")});
  if (exported.code != 0) GTEST_SKIP() << exported.err;
  const std::string data = faces();
  const auto figures = [&](const std::string& model) {
    const Outcome said = fer({"eval", "--model", model, "--data", data, "--align", "never",
                              "--resamples", "0", "--json", "-"});
    EXPECT_EQ(said.code, 0) << said.err;
    return json::parse(said.out);
  };
  // The export has the prior divided out for good.
  const json ours = figures(shipped), theirs = figures(path("own.onnx"));
  EXPECT_EQ(ours["accuracy"], theirs["accuracy"]);
  EXPECT_NEAR(ours["nll"].get<double>(), theirs["nll"].get<double>(), 1e-4);
  EXPECT_THAT(fer({"info", path("own.onnx")}).out,
              AllOf(HasSubstr("model-proc file"), HasSubstr("as their checksum says")));
}

TEST_F(ForeignCli, CalibrateWritesTheirDescription) {
  const std::string data = faces();
  const Outcome wrong = fer({"calibrate", "--model", net_, "--data", data, "--align", "never",
                             "--split", "train", "--out", path("net2.onnx")});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("net2.onnx: expected a path that ends in .json"));
  const std::vector<std::string> arguments{"calibrate",     "--model", net_,      "--data", data,
                                           "--align",       "never",   "--split", "train",  "--out",
                                           path("net.json")};
  const Outcome done = fer(arguments);
  ASSERT_EQ(done.code, 0) << done.err;
  const json written = json::parse(content(path("net.json")));
  EXPECT_NE(written["calibration"]["temperature"], 1);
  EXPECT_EQ(written["operating_points"].size(), 3u);
  EXPECT_EQ(written["labels"], json({"happiness", "sadness", "neutral"}));
  const json about = json::parse(fer({"info", "--json", net_}).out);
  EXPECT_EQ(about["calibration"]["temperature"], written["calibration"]["temperature"]);
  EXPECT_THAT(done.out, HasSubstr("version " + about["version"].get<std::string>()));
  const Outcome again = fer(arguments);
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("net.json: calibration: expected none, found one"));
}

TEST_F(ForeignCli, NothingLearnsFromThem) {
  const auto refused = AllOf(HasSubstr("net.onnx: expected a model of gst-fer's own (.fer), found "
                                       "an ONNX network"),
                             HasSubstr("does not learn"), Not(HasSubstr("terminate")));
  const std::string data = faces();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"adapt", "--model", net_, "--input", data, "--out", path("a.fer")},
        std::vector<std::string>{"train", "--init", net_, "--data", data, "--out", path("run")},
        std::vector<std::string>{"export", "--onnx", net_, path("b.onnx")},
        std::vector<std::string>{"shrink", net_, path("c.fer")}}) {
    const Outcome said = fer(arguments);
    EXPECT_EQ(said.code, 1) << arguments[0];
    EXPECT_THAT(said.err, refused) << arguments[0];
  }
}

TEST_F(ForeignCli, ABadDescriptionIsOneSentence) {
  folder_.write("net.json", R"({"input": {"range": [0, 1], "std": 0}, "output": {"type": "logits"},
                                "labels": ["happy", "sad", "neutral"]})");
  for (const char* command : {"info", "eval"}) {
    const Outcome said = std::string(command) == "info"
                             ? fer({"info", net_})
                             : fer({"eval", "--model", net_, "--data", faces()});
    EXPECT_EQ(said.code, 1);
    EXPECT_THAT(said.err, HasSubstr("net.json: input.std: expected a number above 0, or a list of "
                                    "one a channel, found 0"));
  }
}

}  // namespace
}  // namespace fer
