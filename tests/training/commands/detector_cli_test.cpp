// `fer pack`, `train`, `eval`, `info` and `export` for face detectors, from the outside.
// FER_PROGRAM names the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "detector_models.h"
#include "drawn_scenes.h"
#include "scoped.h"
#include "terminal/subprocess.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::ScopedFolder;
using testing::AllOf;
using testing::HasSubstr;

class DetectorProgram : public testing::Test {
 protected:
  DetectorProgram() { test::write_drawn_scenes(folder_.path() / "scenes", 30); }

  /// Runs `fer` with these words, stdout and stderr together.
  static ProgramResult fer(const std::string& words) {
    return run_program({"sh", "-c", "\"$FER_PROGRAM\" " + words + " 2>&1"},
                       std::chrono::seconds(120));
  }
  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  static json json_of(const std::string& file) {
    std::ifstream in(file);
    return json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  }
  void pack() const {
    const ProgramResult packed =
        fer("pack --task detect --data " + at("scenes") + " --out " + at("packed"));
    ASSERT_EQ(packed.status, 0) << packed.out;
    EXPECT_THAT(packed.out, HasSubstr("30 photos"));
  }
  /// Trains a small network for a moment.
  ProgramResult train() const {
    return fer("train --task detect --data " + at("packed") + " --out " + at("run") +
               " --epochs 2 --views 16 --batch 8 --side 96 --widths 8 8 8 --depths 1 1 1 "
               "--stem-width 8 --threads 1 --fp32");
  }

  const ScopedFolder folder_;
};

TEST_F(DetectorProgram, PacksTrainsEvaluatesAndExports) {
  pack();
  ProgramResult result = train();
  ASSERT_EQ(result.status, 0) << result.out;
  EXPECT_THAT(result.out, AllOf(HasSubstr("parameters"), HasSubstr("epoch   2"),
                                HasSubstr("average precision"), HasSubstr("best.fer")));
  // It is done: the same command has nothing left to do.
  result = train();
  EXPECT_EQ(result.status, 0) << result.out;
  EXPECT_THAT(result.out, testing::Not(HasSubstr("epoch   2 ")));

  result = fer("info " + at("packed") + " " + at("run/last.fer") + " " + at("run/checkpoint"));
  EXPECT_EQ(result.status, 0) << result.out;
  EXPECT_THAT(result.out, AllOf(HasSubstr("photos with faces"), HasSubstr("face detector"),
                                HasSubstr("multiply-accumulates"), HasSubstr("checkpoint")));

  result = fer("eval --task detect --model " + at("run/last.fer") + " --data " + at("packed") +
               " --json " + at("weights.json"));
  ASSERT_EQ(result.status, 0) << result.out;
  const json weights = json_of(at("weights.json"));
  EXPECT_EQ(weights["detector"], "fer (weights)");
  EXPECT_EQ(weights["photos"], 6);
  EXPECT_EQ(weights["photos_without_faces"], 2);
  EXPECT_EQ(weights["faces"], 4);

  result = fer("export --onnx " + at("run/last.fer") + " " + at("face-detector.onnx"));
  if (result.status == 1 && result.out.find("without ONNX") != std::string::npos)
    GTEST_SKIP() << "this build has no ONNX";
  ASSERT_EQ(result.status, 0) << result.out;
  EXPECT_THAT(result.out, HasSubstr("faces_8"));
  for (const char* data : {"scenes", "packed"}) {
    result = fer("eval --task detect --model " + at("face-detector.onnx") + " --data " + at(data) +
                 " --json " + at("onnx.json"));
    ASSERT_EQ(result.status, 0) << result.out;
    const json onnx = json_of(at("onnx.json"));
    EXPECT_EQ(onnx["detector"], "fer");
    EXPECT_EQ(onnx["colour"], std::string(data) == "scenes");
    EXPECT_EQ(onnx["photos"], 6);
    EXPECT_EQ(onnx["faces"], 4);
  }
}

TEST_F(DetectorProgram, EvaluatesOtherDetectors) {
  const fs::path haar = test::haar_path();
  if (haar.empty()) GTEST_SKIP() << "no Haar cascade here: install opencv-data";
  const ProgramResult result = fer("eval --task detect --model " + haar.string() + " --data " +
                                   at("scenes") + " --json " + at("haar.json"));
  ASSERT_EQ(result.status, 0) << result.out;
  const json report = json_of(at("haar.json"));
  EXPECT_EQ(report["detector"], "haar");
  EXPECT_EQ(report["points_error"], json());
  // Drawn faces are found, though their boxes are not those of a cascade.
  EXPECT_LE(report["false_alarms"], 0.5);
}

TEST_F(DetectorProgram, RefusesWhatIsNoDetector) {
  pack();
  ASSERT_EQ(train().status, 0);
  ProgramResult result =
      fer("eval --task detect --model " + at("run/last.fer") + " --data " + at("scenes"));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("packed dataset only"));
  // Where an expression model is wanted.
  result = fer("eval --model " + at("run/last.fer") + " --data " + at("packed"));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, AllOf(HasSubstr("last.fer"), HasSubstr("expected a model file"),
                                HasSubstr("a face detector")));
  result = fer("train --task detect --data " + at("run/last.fer") + " --out " + at("other"));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("expected photos with faces"));
  result = fer("eval --task detect --model " + at("scenes/labels.csv") + " --data " + at("scenes"));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("expected a face detector"));
  result = fer("export --onnx " + at("run/last.fer") + " " + at("x.onnx") + " --logits");
  EXPECT_EQ(result.status, 1);
}

TEST_F(DetectorProgram, UnreadablePhotosAreCountedAndTooManyAreAnError) {
  std::ofstream(at("scenes/images/photo0.png")) << "no picture";
  ProgramResult result =
      fer("pack --task detect --data " + at("scenes") + " --out " + at("packed"));
  EXPECT_EQ(result.status, 0) << result.out;
  EXPECT_THAT(result.out, AllOf(HasSubstr("1 photos could not be read"), HasSubstr("29 photos")));
  result = fer("pack --task detect --data " + at("scenes") + " --out " + at("packed2") +
               " --max-unreadable 1");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, AllOf(HasSubstr("1 of 30"), HasSubstr("photo0.png")));
  EXPECT_FALSE(fs::exists(at("packed2")));
}

TEST_F(DetectorProgram, TasksHaveOptionsOfTheirOwn) {
  EXPECT_THAT(fer("train --task detect --help").out, HasSubstr("--mosaic"));
  EXPECT_THAT(fer("train --help").out, AllOf(HasSubstr("--mixup"), HasSubstr("--task")));
  EXPECT_EQ(fer("pack --task dance --data x --out y").status, 2);
}

}  // namespace
}  // namespace fer
