#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "data/tiny_onnx.h"
#include "error_of.h"
#include "fuzz/mutated.h"
#include "model/classifier.h"
#include "model/foreign/description.h"
#include "model/foreign/network_plan.h"
#include "model/foreign/onnx_header.h"
#include "model/slot.h"
#include "model/stored_model.h"
#include "scoped.h"
#include "unit/model/wait_for.h"
#include "util/sha256.h"

namespace fer {
namespace {

using namespace std::chrono_literals;
using test::error_of;
using test::picking_onnx;
using test::TinyOnnx;
using testing::AllOf;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Not;
using testing::Pointwise;

constexpr char kGrey[] = R"({
  "input": {"size": 4, "color_space": "GREY", "layout": "nchw",
            "range": [0, 1], "mean": 0.5, "std": 0.25},
  "output": {"type": "logits"},
  "labels": ["angry", "happy", "neutral"]
})";

/// Pixel i of a crop of 4 x 4 has the value 10 i, in each of the planes 10 i + its number.
std::vector<std::uint8_t> ramp(int channels = 1) {
  std::vector<std::uint8_t> crop;
  for (int c = 0; c < channels; ++c) {
    for (int i = 0; i < 16; ++i) crop.push_back(static_cast<std::uint8_t>(10 * i + c));
  }
  return crop;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

class ForeignModels : public testing::Test {
 protected:
  std::filesystem::path write(const TinyOnnx& tiny, const std::string& description) const {
    return write(tiny.bytes(), description);
  }
  std::filesystem::path write(const std::string& onnx, const std::string& description) const {
    folder_.write("net.json", description);
    return folder_.write("net.onnx", onnx);
  }
  std::shared_ptr<const Classifier> open(const TinyOnnx& tiny,
                                         const std::string& description) const {
    return Classifier::open(write(tiny, description), Precision::kFp32);
  }
  std::string error(const TinyOnnx& tiny, const std::string& description) const {
    const auto path = write(tiny, description);
    return error_of([&] { Classifier::open(path, Precision::kFp32); });
  }
  std::string file(const char* name) const { return (folder_.path() / name).string(); }

  test::ScopedFolder folder_;
};

/// Outputs the values at pixels 0, 5 and 15 of a grey picture.
TinyOnnx grey_net() {
  return picking_onnx({1, 1, 4, 4}, {0, 5, 15});
}

TEST_F(ForeignModels, SayWhatIsWorkedOutByHand) {
  const auto model = open(grey_net(), kGrey);
  EXPECT_THAT(model->info().labels, ElementsAre("anger", "happiness", "neutral"));
  EXPECT_EQ(model->crop_bytes(), 16u);
  EXPECT_EQ(model->info().version.size(), 12u);
  // (10 i / 255 - 0.5) / 0.25 at i = 0, 5, 15.
  EXPECT_THAT(model->logits(ramp()), Pointwise(FloatNear(1e-5f), {-2.f, -1.215686f, 0.352941f}));
}

TEST_F(ForeignModels, BringPixelsToTheRangeFirst) {
  const auto model =
      open(grey_net(), replaced(kGrey, "[0, 1], \"mean\": 0.5, \"std\": 0.25", "[-1, 1]"));
  EXPECT_THAT(model->logits(ramp()), Pointwise(FloatNear(1e-5f), {-1.f, -0.607843f, 0.176471f}));
  const auto raw =
      open(grey_net(), replaced(kGrey, "[0, 1], \"mean\": 0.5, \"std\": 0.25", "[0, 255]"));
  EXPECT_THAT(raw->logits(ramp()), Pointwise(FloatNear(1e-3f), {0.f, 50.f, 150.f}));
}

constexpr char kColour[] = R"({
  "input": {"color_space": "RGB", "layout": "nchw", "range": [0, 255],
            "mean": [1, 2, 3], "std": [1, 2, 4]},
  "output": {"type": "logits"},
  "labels": ["sad", "surprised", "fear"]
})";

TEST_F(ForeignModels, TakeColoursInTheirOrder) {
  // Pixel 7 of the network's first, second and third channel.
  const TinyOnnx net = picking_onnx({1, 3, 4, 4}, {7, 16 + 7, 32 + 7});
  const auto rgb = open(net, kColour);
  EXPECT_EQ(rgb->crop_bytes(), 48u);
  // Red, green and blue are 70, 71, 72; mean and std go by the network's order.
  EXPECT_THAT(rgb->logits(ramp(3)), Pointwise(FloatNear(1e-4f), {69.f, 34.5f, 17.25f}));
  const auto bgr = open(net, replaced(kColour, "RGB", "BGR"));
  EXPECT_THAT(bgr->logits(ramp(3)), Pointwise(FloatNear(1e-4f), {71.f, 34.5f, 16.75f}));
}

TEST_F(ForeignModels, TakeChannelsLast) {
  // The three channels of pixel 7 stand side by side.
  const auto model = open(picking_onnx({1, 4, 4, 3}, {21, 22, 23}),
                          replaced(kColour, "\"layout\": \"nchw\"", "\"layout\": \"nhwc\""));
  EXPECT_THAT(model->logits(ramp(3)), Pointwise(FloatNear(1e-4f), {69.f, 34.5f, 17.25f}));
}

TEST_F(ForeignModels, FindTheLayoutInTheShape) {
  const auto model = open(picking_onnx({1, 4, 4, 3}, {21, 22, 23}),
                          replaced(kColour, "\"layout\": \"nchw\", ", ""));
  EXPECT_THAT(model->logits(ramp(3)), Pointwise(FloatNear(1e-4f), {69.f, 34.5f, 17.25f}));
}

TEST_F(ForeignModels, SayTheSameOfABatchAsOfEachFace) {
  for (const std::int64_t faces_a_call : {1, -1}) {
    TinyOnnx net = grey_net();
    net.input_shape[0] = faces_a_call;
    const auto model = open(net, kGrey);
    constexpr std::size_t kFaces = 37;  // more than are laid out at a time
    std::vector<std::uint8_t> crops(kFaces * 16);
    std::mt19937 random(3);
    for (std::uint8_t& pixel : crops) pixel = static_cast<std::uint8_t>(random());
    const std::vector<float> together = model->logits(crops);
    ASSERT_EQ(together.size(), kFaces * 3);
    for (std::size_t i = 0; i < kFaces; ++i) {
      const auto alone = model->logits(std::span(crops).subspan(i * 16, 16));
      EXPECT_THAT(std::span(together).subspan(i * 3, 3), Pointwise(FloatNear(1e-6f), alone));
      EXPECT_NEAR(alone[1], (crops[i * 16 + 5] / 255.f - 0.5f) / 0.25f, 1e-5);
    }
  }
}

TEST_F(ForeignModels, GiveTheirOwnProbabilitiesBack) {
  TinyOnnx net = grey_net();
  net.softmax = true;
  const auto logits = open(grey_net(), kGrey);
  const auto model = open(net, replaced(kGrey, "logits", "probabilities"));
  std::vector<float> expected = logits->logits(ramp()), found = model->logits(ramp());
  to_probabilities(expected, logits->info(), 0);
  to_probabilities(found, model->info(), 0);
  EXPECT_THAT(found, Pointwise(FloatNear(1e-5f), expected));
  EXPECT_NEAR(found[2], 0.767f, 1e-3);  // e^0.353 / (e^-2 + e^-1.216 + e^0.353)
}

TEST_F(ForeignModels, AreCalibrated) {
  const auto model = open(grey_net(), replaced(kGrey, "\"labels\"",
                                               "\"calibration\": {\"temperature\": 2, "
                                               "\"bias\": [0.5, 0, -0.5]},\n \"labels\""));
  EXPECT_THAT(model->logits(ramp()), Pointwise(FloatNear(1e-5f), {-0.5f, -0.607843f, -0.323529f}));
}

TEST_F(ForeignModels, DivideByTheirPrior) {
  const auto model = open(grey_net(), replaced(kGrey, "\"labels\"",
                                               "\"prior\": [0.1, 0.2, 0.7], \"prior_correction\": "
                                               "1, \"labels\""));
  std::vector<float> found = model->logits(ramp());
  to_probabilities(found, model->info(), kModelsPriorCorrection);
  // e^-2 / 0.1 : e^-1.2157 / 0.2 : e^0.3529 / 0.7 = 1.353 : 1.4825 : 2.0332
  EXPECT_THAT(found, Pointwise(FloatNear(1e-3f), {0.2779f, 0.3045f, 0.4176f}));
}

TEST_F(ForeignModels, LeaveOutputsOut) {
  const auto model = open(grey_net(), replaced(kGrey, "\"happy\"", "null"));
  EXPECT_THAT(model->info().labels, ElementsAre("anger", "neutral"));
  EXPECT_THAT(model->logits(ramp()), Pointwise(FloatNear(1e-5f), {-2.f, 0.352941f}));
}

TEST_F(ForeignModels, ReadTheNamedOutput) {
  TinyOnnx net = grey_net();
  net.two_outputs = net.softmax = true;
  EXPECT_THAT(error(net, kGrey),
              AllOf(HasSubstr(file("net.json") + ": output.name: expected one of the outputs"),
                    HasSubstr("\"scores\", \"raw\"")));
  const auto model = open(net, replaced(kGrey, "\"type\"", "\"name\": \"raw\", \"type\""));
  EXPECT_THAT(model->logits(ramp()), Pointwise(FloatNear(1e-5f), {-2.f, -1.215686f, 0.352941f}));
}

TEST_F(ForeignModels, LookAtTheMirrorImageWhereAsked) {
  const auto model =
      open(grey_net(), replaced(kGrey, "\"labels\"", "\"mirror\": true, \"labels\""));
  // Pixels 0, 5 and 15 change places with 3, 6 and 12: the means are 15, 55 and 135.
  EXPECT_THAT(model->logits(ramp()),
              Pointwise(FloatNear(1e-5f), {-1.764706f, -1.137255f, 0.117647f}));
}

TEST_F(ForeignModels, SayHowTheirCropsLie) {
  EXPECT_EQ(open(grey_net(), kGrey)->info().align_template, "fer");
  TinyOnnx net = grey_net();
  net.metadata = {{"align_template", "arcface"}};
  EXPECT_EQ(open(net, kGrey)->info().align_template, "arcface");
  EXPECT_EQ(open(net, replaced(kGrey, "\"labels\"", "\"align_template\": \"fer\", \"labels\""))
                ->info()
                .align_template,
            "fer");
}

TEST_F(ForeignModels, HaveAVersionOfBothFiles) {
  const std::string first = open(grey_net(), kGrey)->info().version;
  EXPECT_EQ(open(grey_net(), kGrey)->info().version, first);
  EXPECT_NE(open(grey_net(), replaced(kGrey, "0.25", "0.26"))->info().version, first);
  EXPECT_NE(open(picking_onnx({1, 1, 4, 4}, {0, 5, 14}), kGrey)->info().version, first);
}

TEST_F(ForeignModels, TakeModelProcFiles) {
  // DL Streamer's own defaults: values as pixels have them, blue first.
  const auto bgr = open(picking_onnx({1, 3, 4, 4}, {7, 16 + 7, 32 + 7}), R"({
    "json_schema_version": "2.2.0",
    "input_preproc": [],
    "output_postproc": [{"attribute_name": "emotion", "converter": "label", "method": "softmax",
                         "labels": ["neutral", "happy", "sad"]}]})");
  EXPECT_THAT(bgr->info().labels, ElementsAre("neutral", "happiness", "sadness"));
  EXPECT_THAT(bgr->logits(ramp(3)), Pointwise(FloatNear(1e-3f), {72.f, 71.f, 70.f}));
  const auto rgb = open(picking_onnx({1, 3, 4, 4}, {7, 16 + 7, 32 + 7}), R"({
    "json_schema_version": "2.2.0",
    "input_preproc": [{"format": "image", "layer_name": "pixels",
                       "params": {"color_space": "RGB", "resize": "aspect-ratio",
                                  "range": [0.0, 1.0], "mean": [0.5, 0.5, 0.5],
                                  "std": [0.5, 0.5, 0.5]}}],
    "output_postproc": [{"layer_name": "scores", "converter": "label", "method": "softmax",
                         "labels": ["neutral", "happy", "sad"]}]})");
  EXPECT_THAT(rgb->logits(ramp(3)),
              Pointwise(FloatNear(1e-4f), {-0.45098f, -0.443137f, -0.435294f}));
}

TEST_F(ForeignModels, RefuseModelProcFilesThatSaySomethingElse) {
  const std::string text = R"({"input_preproc": [],
    "output_postproc": [{"converter": "label", "method": "softmax",
                         "labels": ["neutral", "happy", "sad"]}]})";
  const TinyOnnx net = picking_onnx({1, 3, 4, 4}, {7, 16 + 7, 32 + 7});
  EXPECT_THAT(error(net, replaced(text, "\"label\"", "\"detection_output\"")),
              HasSubstr(file("net.json") + ": output_postproc[0].converter: expected \"label\""));
  EXPECT_THAT(error(net, replaced(text, "softmax", "compound")),
              HasSubstr("output_postproc[0].method: expected \"softmax\" where"));
  EXPECT_THAT(error(net, replaced(text, "softmax", "max")),
              AllOf(HasSubstr("output_postproc[0].method: expected \"softmax\", since"),
                    HasSubstr("are no probabilities")));
  EXPECT_THAT(error(net, replaced(text, "\"converter\"", "\"convert\"")),
              HasSubstr("unknown key \"output_postproc[0].convert\"; did you mean "
                        "\"converter\"?"));
  EXPECT_THAT(error(net, replaced(text, "[]", "[{\"format\": \"sequence_index\"}]")),
              HasSubstr("input_preproc[0].format: expected \"image\""));
}

/// What is changed in the description, and what is said of it.
struct Fault {
  const char* from;
  const char* to;
  const char* said;
};

class DescriptionFaults : public ForeignModels, public testing::WithParamInterface<Fault> {};

TEST_P(DescriptionFaults, AreNamedInOneSentence) {
  const Fault& fault = GetParam();
  const std::string found = error(grey_net(), replaced(kGrey, fault.from, fault.to));
  EXPECT_THAT(found, AllOf(testing::StartsWith(file("net.json") + ": "), HasSubstr(fault.said),
                           Not(HasSubstr("\n"))));
}

INSTANTIATE_TEST_SUITE_P(
    , DescriptionFaults,
    testing::Values(
        Fault{"\"size\": 4", "\"size\": 5", "input.size: expected 4, since the input of "},
        Fault{"\"size\": 4", "\"size\": 4.5", "input.size: expected a whole number of pixels"},
        Fault{"\"size\": 4", "\"size\": 100000", "input.size: expected a whole number of pixels"},
        Fault{"\"size\"", "\"sizes\"", "unknown key \"input.sizes\"; did you mean \"size\"?"},
        Fault{"\"output\"", "\"outputs\"", "unknown key \"outputs\"; did you mean \"output\"?"},
        Fault{"\"nchw\"", "\"nhwc\"", "input.layout: expected \"nchw\", since the input of "},
        Fault{"\"nchw\"", "\"chw\"", "input.layout: expected \"nchw\" or \"nhwc\", found \"chw\""},
        Fault{"GREY", "RGB", "input.color_space: expected \"GREY\", since the input of "},
        Fault{"GREY", "YUV", "input.color_space: expected \"GREY\", \"RGB\" or \"BGR\""},
        Fault{"\"range\": [0, 1], ", "", "input.range: expected the values that black and white"},
        Fault{"[0, 1]", "[1, 1]", "input.range: expected two numbers that rise"},
        Fault{"[0, 1]", "[0, 1, 2]", "input.range: expected two numbers that rise"},
        Fault{"\"mean\": 0.5", "\"mean\": NaN", "expected JSON, found text that is none"},
        Fault{"\"mean\": 0.5", "\"mean\": 1e999", "expected JSON"},
        Fault{"\"mean\": 0.5", "\"mean\": \"half\"", "input.mean: expected a number"},
        Fault{"\"mean\": 0.5", "\"mean\": [0.5, 0.5, 0.5]",
              "input.mean: expected a number, or a list of one a channel (1), found 3 numbers"},
        Fault{"\"std\": 0.25", "\"std\": 0", "input.std: expected a number above 0"},
        Fault{"\"std\": 0.25", "\"std\": -1", "input.std: expected a number above 0"},
        Fault{"\"std\": 0.25", "\"std\": 1e-60", "expected numbers that fp32 holds"},
        Fault{"\"logits\"", "\"scores\"",
              "output.type: expected \"logits\" or \"probabilities\", found \"scores\""},
        Fault{"\"logits\"", "\"probabilities\"", "output.type: expected \"logits\", since"},
        Fault{"\"type\": \"logits\"", "", "output.type: expected \"logits\" or \"probabilities\""},
        Fault{"\"type\"", "\"name\": \"score\", \"type\"", "output.name: expected an output of "},
        Fault{"\"size\"", "\"name\": \"data\", \"size\"", "input.name: expected \"pixels\""},
        Fault{"\"neutral\"", "\"neutral\", \"fear\"",
              "labels: expected 3, since output \"scores\""},
        Fault{"\"neutral\"", "\"Joy\"", "labels: expected each expression once, found \"Joy\""},
        Fault{"\"neutral\"", "\"sleepy\"", "labels: expected names of expressions (neutral, "},
        Fault{"\"neutral\"", "3", "labels: expected a list of names"},
        Fault{"\"angry\", \"happy\", \"neutral\"", "null, null, \"fear\"",
              "labels: expected at least two names, found 1"},
        Fault{"\"labels\"", "\"prior\": [0.5, 0.5], \"labels\"",
              "prior: expected a list of 3 numbers from 0.000001 to 1"},
        Fault{"\"labels\"", "\"prior_correction\": 0.5, \"labels\"",
              "prior: expected the share of each label in the training data"},
        Fault{"\"labels\"", "\"calibration\": {\"temperature\": 0}, \"labels\"",
              "calibration.temperature: expected a number from 0.01 to 100, found 0"},
        Fault{"\"labels\"", "\"operating_points\": [0.5, 2, null], \"labels\"",
              "operating_points: expected a list of a number from 0 to 1, or null"},
        Fault{"\"labels\"", "\"align_template\": \"dlib\", \"labels\"",
              "align_template: expected \"fer\" or \"arcface\", found \"dlib\""},
        Fault{"{\n", "[\n", "expected JSON"}));

TEST_F(ForeignModels, NeedADescription) {
  const auto path = folder_.write("net.onnx", grey_net().bytes());
  EXPECT_THAT(error_of([&] { Classifier::open(path, Precision::kFp32); }),
              AllOf(HasSubstr(file("net.onnx") + ": expected its description beside it, net.json"),
                    HasSubstr("its input is \"pixels\" (1 x 1 x 4 x 4)"),
                    HasSubstr("its output \"scores\" (1 x 3)")));
}

TEST_F(ForeignModels, AskForTheOrderOfColours) {
  EXPECT_THAT(error(picking_onnx({1, 3, 4, 4}, {0, 1, 2}),
                    replaced(kGrey, "\"color_space\": \"GREY\", ", "")),
              HasSubstr("input.color_space: expected \"RGB\" or \"BGR\", since the input of"));
}

TEST_F(ForeignModels, MustTakeOnePictureOfAFace) {
  TinyOnnx two = grey_net();
  two.two_inputs = true;
  EXPECT_THAT(error(two, kGrey), HasSubstr(file("net.onnx") + ": its inputs: expected one"));
  TinyOnnx bytes = grey_net();
  bytes.input_type = 2;
  EXPECT_THAT(error(bytes, kGrey), HasSubstr("its input \"pixels\": expected values of fp32"));
  EXPECT_THAT(error(picking_onnx({1, 16}, {0, 5, 15}), kGrey), HasSubstr("four dimensions"));
  EXPECT_THAT(error(picking_onnx({1, 1, 2, 8}, {0, 5, 15}), kGrey), HasSubstr("square pictures"));
  EXPECT_THAT(error(picking_onnx({8, 1, 4, 4}, {0, 5, 15}), kGrey),
              HasSubstr("one face a call, or any number of them (N), found 8 x 1 x 4 x 4"));
}

TEST_F(ForeignModels, AreCheckedByWhatTheySayOfMadeUpFaces) {
  TinyOnnx net = grey_net();
  net.softmax = true;
  EXPECT_THAT(error(net, kGrey), AllOf(HasSubstr("output.type: expected \"probabilities\", since"),
                                       HasSubstr("add up to 1")));
  TinyOnnx open_shape = grey_net();
  open_shape.output_shape = {-1, -1};
  EXPECT_THAT(error(open_shape, replaced(kGrey, "\"neutral\"", "\"neutral\", \"fear\"")),
              HasSubstr("labels: expected 3, as many as output"));
  TinyOnnx infinite = grey_net();
  infinite.bias[1] = INFINITY;
  EXPECT_THAT(error(infinite, kGrey), HasSubstr("expected finite numbers, found"));
}

TEST_F(ForeignModels, ServeOnTheProcessorOnly) {
  const auto path = write(grey_net(), kGrey);
  EXPECT_THAT(error_of([&] { Classifier::open(path, Precision::kFp32, "cuda:0"); }),
              HasSubstr("expected device cpu or auto, found cuda:0"));
  EXPECT_EQ(Classifier::open(path, Precision::kAuto, "auto")->precision(), Precision::kFp32);
}

TEST_F(ForeignModels, DoNotLearn) {
  const auto path = write(grey_net(), kGrey);
  const auto expected = AllOf(HasSubstr(file("net.onnx") + ": expected a model of gst-fer's own"),
                              HasSubstr("does not learn"));
  EXPECT_THAT(error_of([&] { read_stored_model(path); }), expected);
  EXPECT_THAT(error_of([&] { read_stored_start(path); }), expected);
  EXPECT_THAT(error_of([&] { read_model_info(path); }), expected);
}

TEST_F(ForeignModels, AreReplacedWhileTheyServeByGoodFilesOnly) {
  const auto path = write(grey_net(), kGrey);
  ModelSlot slot;
  const auto first = slot.open({path, {Precision::kFp32, "cpu"}, /*reload=*/true, 20ms});
  folder_.write("net.onnx", grey_net().bytes().substr(0, 60));
  ASSERT_TRUE(test::wait_for([&] { return slot.failures().count >= 1; }));
  EXPECT_THAT(slot.failures().last, HasSubstr(file("net.onnx") + ": expected an ONNX network"));
  EXPECT_EQ(slot.current(), first);
  folder_.write("net.onnx", grey_net().bytes());
  ASSERT_TRUE(test::wait_for([&] { return slot.swaps() >= 1; }));
  const auto before = slot.current();
  // A description alone, too.
  folder_.write("net.json", replaced(kGrey, "\"std\": 0.25", "\"std\": 0"));
  const auto failures = slot.failures().count;
  ASSERT_TRUE(test::wait_for([&] { return slot.failures().count > failures; }));
  EXPECT_EQ(slot.current(), before);
  folder_.write("net.json", replaced(kGrey, "\"std\": 0.25", "\"std\": 0.5"));
  ASSERT_TRUE(test::wait_for([&] { return slot.current() != before; }));
  EXPECT_NEAR(slot.current()->logits(ramp())[0], -1, 1e-5);
}

TEST_F(ForeignModels, SurviveHostileBytes) {
  const std::string written = grey_net().bytes();
  std::mt19937 random(5);
  int accepted = 0;
  constexpr int kTries = 60;
  for (int i = 0; i < kTries; ++i) {
    const auto path = write(test::mutated(written, random), kGrey);
    const std::string said = error_of([&] {
      const auto model = Classifier::open(path, Precision::kFp32);
      const auto logits = model->logits(ramp());
      EXPECT_EQ(logits.size(), 3u);
      ++accepted;
    });
    if (!said.empty()) {
      EXPECT_THAT(said, HasSubstr(": expected ")) << "change " << i;
    }
  }
  EXPECT_LT(accepted, kTries);
  for (const std::string& bytes :
       {std::string(), std::string("\x08"), std::string(200, '\xff'), written.substr(0, 100),
        std::string("\x3a\xff\xff\xff\xff\x0f")}) {
    const auto path = write(bytes, kGrey);
    EXPECT_THAT(
        error_of([&] { Classifier::open(path, Precision::kFp32); }),
        HasSubstr("net.onnx: expected an ONNX network, found a file that is no ONNX model"));
  }
}

TEST_F(ForeignModels, MustBeTheBytesThatTheirOwnerMeans) {
  TinyOnnx net = grey_net();
  const auto path = write(net, kGrey);
  folder_.write("net.onnx.sha256", sha256(net.bytes()) + "  net.onnx\n");
  EXPECT_EQ(Classifier::open(path, Precision::kFp32)->classes(), 3u);
  net.bias[0] = 0.25f;
  EXPECT_THAT(error(net, kGrey), HasSubstr("net.onnx: expected the network that its owner means, "
                                           "found other content than " +
                                           file("net.onnx.sha256")));
}

// What is read before another process tries the file.
TEST_F(ForeignModels, RefuseOrReadAnyBytes) {
  TinyOnnx net = grey_net();
  net.softmax = true;
  net.metadata = {{"align_template", "fer"}};
  const std::string onnx = net.bytes(), description = kGrey;
  std::mt19937 random(7);
  int read = 0, refused = 0;
  for (int i = 0; i < 4000; ++i) {
    try {
      const OnnxHeader header = read_onnx_header(i % 2 == 0 ? test::mutated(onnx, random) : onnx);
      plan_network(parse_description("net.json",
                                     i % 2 == 0 ? description : test::mutated(description, random)),
                   header, "net.onnx");
      ++read;
    } catch (const std::runtime_error&) {
      ++refused;
    }
  }
  EXPECT_GT(read, 100);
  EXPECT_GT(refused, 1000);
}

// OpenCV 4.6 would read on behind them.
TEST_F(ForeignModels, HaveAsManyWeightsAsTheirShapesSay) {
  TinyOnnx net = grey_net();
  net.weight[1].clear();
  const auto path = write(net, kGrey);
  EXPECT_THAT(error_of([&] { Classifier::open(path, Precision::kFp32); }),
              HasSubstr("net.onnx: expected an ONNX network, found a file whose weight \"weight\" "
                        "has another number of values than its shape says"));
}

TEST_F(ForeignModels, AreTriedInAnotherProcess) {
  TinyOnnx net = grey_net();
  for (auto& row : net.weight) row.resize(17);  // a picture has 16 pixels
  const auto path = write(net, kGrey);
  EXPECT_THAT(
      error_of([&] { Classifier::open(path, Precision::kFp32); }),
      HasSubstr("net.onnx: expected a network that takes 1 x 1 x 4 x 4, found a file that"));
}

}  // namespace
}  // namespace fer
