// Exported networks, run by others. FER_TEST_FACES may name faces (a packed dataset, a CSV or a
// folder), FER_TEST_PYTHON a Python that has ONNX Runtime.
#include "export/export_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <opencv2/dnn.hpp>

#include "data/data_source.h"
#include "data/drawn_face.h"
#include "export/onnx_file.h"
#include "export/onnx_runtime.h"
#include "model/classifier.h"
#include "model/find_model.h"
#include "model/folded_network.h"
#include "model/stored_model.h"
#include "scoped.h"
#include "unit/model/model_support.h"
#include "vision/align.h"

namespace fer {
namespace {

using nlohmann::json;
using test::by_onnx_runtime;
using test::has_onnx_runtime;
using test::RandomModel;
using test::ScopedFolder;
using testing::ElementsAre;

/// Of probabilities; logits may be off by as much of their range.
constexpr double kTolerance = 1e-4;

std::string exported(const StoredModel& model, const ExportOptions& options = {}) {
  return to_onnx(fold(model), model.info, options);
}

std::string exported(RandomModel& model, const ExportOptions& options = {}) {
  return exported(*model.stored(), options);
}

/// N x channels x side x side pixel values.
cv::Mat pixels(const std::vector<std::uint8_t>& crops, const NetworkConfig& config) {
  const int bytes = config.channels * config.input_size * config.input_size;
  cv::Mat blob({static_cast<int>(crops.size()) / bytes, config.channels, config.input_size,
                config.input_size},
               CV_32F);
  std::copy(crops.begin(), crops.end(), blob.ptr<float>());
  return blob;
}

std::vector<float> forward(cv::dnn::Net& net, const cv::Mat& blob) {
  net.setInput(blob, kExportInput);
  const cv::Mat out = net.forward().clone();
  EXPECT_EQ(out.dims, 2);
  EXPECT_EQ(out.size[0], blob.size[0]);
  return {out.ptr<float>(), out.ptr<float>() + out.total()};
}

std::vector<float> by_opencv(const std::string& onnx, const cv::Mat& blob) {
  cv::dnn::Net net = cv::dnn::readNetFromONNX(onnx.data(), onnx.size());
  return forward(net, blob);
}

std::vector<float> probabilities(const Classifier& classifier,
                                 const std::vector<std::uint8_t>& crops, double correction = 0) {
  std::vector<float> values = classifier.logits(crops);
  to_probabilities(values, classifier.info(), correction);
  return values;
}

double worst(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  return largest;
}

double spread(const std::vector<float>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *high - *low;
}

class Networks : public testing::TestWithParam<NetworkConfig> {};

TEST_P(Networks, AreReadByOpenCv) {
  RandomModel model(GetParam());
  const Classifier classifier(*model.stored(), Precision::kFp32);
  const std::string onnx = exported(model), with_logits = exported(model, {.logits = true});
  // One network, batches of several sizes: the first is not to settle it.
  cv::dnn::Net net = cv::dnn::readNetFromONNX(onnx.data(), onnx.size());
  for (const std::size_t n : {5, 1, 2}) {
    const auto crops = test::random_bytes(n * classifier.crop_bytes(), static_cast<unsigned>(n));
    const cv::Mat blob = pixels(crops, GetParam());
    EXPECT_LT(worst(forward(net, blob), probabilities(classifier, crops)), kTolerance);
    const auto logits = classifier.logits(crops);
    EXPECT_GT(spread(logits), 0.1);
    EXPECT_LT(worst(by_opencv(with_logits, blob), logits), kTolerance * spread(logits));
  }
}

TEST_P(Networks, LookAtMirrorImagesWhereTheClassifierDoes) {
  RandomModel model(GetParam());
  const std::string plain = exported(model);
  model.info().mirror = true;
  const Classifier classifier(*model.stored(), Precision::kFp32);
  const std::string onnx = exported(model, {.logits = true});
  EXPECT_LT(onnx.size(), plain.size() * 3 / 2) << "the weights stand there twice";
  cv::dnn::Net net = cv::dnn::readNetFromONNX(onnx.data(), onnx.size());
  for (const std::size_t n : {3, 1}) {
    const auto crops = test::random_bytes(n * classifier.crop_bytes(), static_cast<unsigned>(n));
    const auto logits = classifier.logits(crops);
    EXPECT_LT(worst(forward(net, pixels(crops, GetParam())), logits), kTolerance * spread(logits));
  }
}

TEST_P(Networks, AreReadByOnnxRuntime) {
  if (!has_onnx_runtime())
    GTEST_SKIP() << test::python() << " has no onnxruntime; FER_TEST_PYTHON may name one that has";
  RandomModel model(GetParam());
  const Classifier classifier(*model.stored(), Precision::kFp32);
  const auto crops = test::random_bytes(3 * classifier.crop_bytes());
  EXPECT_LT(worst(by_onnx_runtime(exported(model), pixels(crops, GetParam())),
                  probabilities(classifier, crops)),
            kTolerance);
}

INSTANTIATE_TEST_SUITE_P(All, Networks, testing::ValuesIn(test::varied_configs()),
                         [](const auto& info) { return "Network" + std::to_string(info.index); });

/// The shipped model on grey faces.
class ShippedModel : public testing::Test {
 protected:
  void SetUp() override {
    path_ = find_expression_model();
    if (path_.empty()) GTEST_SKIP() << "the shipped model was not found; see FER_MODELS";
  }

  void compare(const std::vector<std::uint8_t>& crops) {
    const StoredModel model = read_stored_model(path_);
    const Classifier classifier(model, Precision::kFp32);
    const std::string onnx = exported(model);
    const auto expected = probabilities(classifier, crops, kModelsPriorCorrection);
    const cv::Mat blob = pixels(crops, model.info.network);
    const double opencv = worst(by_opencv(onnx, blob), expected);
    EXPECT_LT(opencv, kTolerance);
    RecordProperty("opencv", std::to_string(opencv));
    std::printf("%d faces, largest difference of a probability: OpenCV %.1e", blob.size[0], opencv);
    if (has_onnx_runtime()) {
      const double runtime = worst(by_onnx_runtime(onnx, blob), expected);
      EXPECT_LT(runtime, kTolerance);
      std::printf(", ONNX Runtime %.1e\n", runtime);
    } else {
      std::printf(", ONNX Runtime not here\n");
    }
  }

  std::filesystem::path path_;
};

TEST_F(ShippedModel, IsTheSameOnDrawnFaces) {
  std::vector<std::uint8_t> crops;
  for (const float curve : {-1.f, 0.f, 1.f}) {
    for (const float tilt : {-20.f, 0.f, 10.f}) {
      cv::Mat picture = test::drawn_background({160, 160});
      const test::DrawnFace drawn = test::draw_face_at(
          picture, {.centre = {80, 80}, .height = 100, .mouth_curve = curve, .tilt = tilt});
      Face face;
      face.box = drawn.box;
      face.landmarks = drawn.landmarks;
      FrameView frame{PixelFormat::kBgr, picture.cols, picture.rows, {}, {}};
      frame.data[0] = picture.data;
      frame.stride[0] = static_cast<int>(picture.step);
      cv::Mat crop;
      crop_face(frame, face, {.width = 48, .height = 48}, crop);
      crops.insert(crops.end(), crop.datastart, crop.dataend);
    }
  }
  compare(crops);
}

TEST_F(ShippedModel, IsTheSameOnRealFaces) {
  const char* named = std::getenv("FER_TEST_FACES");
  if (named == nullptr)
    GTEST_SKIP() << "FER_TEST_FACES names no faces (a packed dataset, a CSV or a folder)";
  const ModelInfo info = read_model_info(path_);
  const DataSource source(named, AlignMode::kAuto, info.crops());
  const PackedDataset& data = source.data();
  ASSERT_EQ(data.info().crops, info.crops());
  constexpr std::size_t kFaces = 500;
  std::vector<std::uint8_t> crops;
  for (std::size_t i = 0; i < std::min(kFaces, data.size()); ++i) {
    const auto crop = data.crop(i * data.size() / std::min(kFaces, data.size()));
    crops.insert(crops.end(), crop.begin(), crop.end());
  }
  compare(crops);
}

TEST(Export, SaysWhatGoesInAndComesOut) {
  RandomModel model;
  const test::OnnxFile file = test::parse_onnx(exported(model));
  EXPECT_EQ(file.producer, "gst-fer");
  EXPECT_EQ(file.opset, 11);
  ASSERT_EQ(file.inputs.size(), 1u);
  EXPECT_EQ(file.inputs[0].name, "pixels");
  EXPECT_THAT(file.inputs[0].shape, ElementsAre("batch", "1", "24", "24"));
  ASSERT_EQ(file.outputs.size(), 1u);
  EXPECT_EQ(file.outputs[0].name, "probabilities");
  EXPECT_THAT(file.outputs[0].shape, ElementsAre("batch", "8"));

  EXPECT_EQ(json::parse(file.about.at("labels")), json(model.info().labels));
  EXPECT_EQ(file.about.at("align_template"), "fer");
  EXPECT_EQ(file.about.at("version"), model.info().version);
  EXPECT_EQ(json::parse(file.about.at("prior")).size(), 8u);

  const auto logits = test::parse_onnx(exported(model, {.logits = true}));
  EXPECT_EQ(logits.outputs.at(0).name, "logits");
}

TEST(Export, FixesTheBatchWhereAsked) {
  RandomModel model;
  const Classifier classifier(*model.stored(), Precision::kFp32);
  const std::string onnx = exported(model, {.batch = 3});
  const test::OnnxFile file = test::parse_onnx(onnx);
  EXPECT_EQ(file.inputs.at(0).shape.at(0), "3");
  EXPECT_EQ(file.outputs.at(0).shape.at(0), "3");
  const auto crops = test::random_bytes(3 * classifier.crop_bytes());
  EXPECT_LT(
      worst(by_opencv(onnx, pixels(crops, model.info().network)), probabilities(classifier, crops)),
      kTolerance);
}

TEST(Export, DividesThePriorOut) {
  RandomModel model;
  model.info().prior = {0.4f, 0.3f, 0.1f, 0.05f, 0.05f, 0.04f, 0.03f, 0.03f};
  const Classifier classifier(*model.stored(), Precision::kFp32);
  const auto crops = test::random_bytes(2 * classifier.crop_bytes());
  const cv::Mat blob = pixels(crops, model.info().network);
  const auto corrected = by_opencv(exported(model, {.prior_correction = 0.5}), blob);
  EXPECT_LT(worst(corrected, probabilities(classifier, crops, 0.5)), kTolerance);
  EXPECT_GT(worst(corrected, probabilities(classifier, crops)), 0.01);

  // Unless it is told, as the model says; and calibrated.
  model.info().prior_correction = 0.75;
  model.info().calibration = {2, {0.5f, 0, 0, 0, 0, 0, 0, -0.5f}};
  const Classifier calibrated(*model.stored(), Precision::kFp32);
  EXPECT_LT(worst(by_opencv(exported(model, {}), blob), probabilities(calibrated, crops, 0.75)),
            kTolerance);
  EXPECT_LT(worst(by_opencv(exported(model, {.prior_correction = 0}), blob),
                  probabilities(calibrated, crops, 0)),
            kTolerance);
}

TEST(ModelProc, IsWhatGvaclassifyReads) {
  RandomModel model;
  const json proc = json::parse(to_model_proc(model.info(), {}));
  EXPECT_EQ(proc["json_schema_version"], "2.2.0");
  EXPECT_EQ(proc["input_preproc"][0]["params"]["color_space"], "GRAYSCALE");
  EXPECT_EQ(proc["input_preproc"][0]["params"]["resize"], "no-aspect-ratio");
  const json& post = proc["output_postproc"][0];
  EXPECT_EQ(post["attribute_name"], "emotion");
  EXPECT_EQ(post["converter"], "label");
  EXPECT_EQ(post["method"], "max");
  EXPECT_EQ(post["labels"], json(model.info().labels));

  EXPECT_EQ(
      json::parse(to_model_proc(model.info(), {.logits = true}))["output_postproc"][0]["method"],
      "softmax");
  RandomModel colour(test::tiny_config(24, 3));
  EXPECT_EQ(
      json::parse(to_model_proc(colour.info(), {}))["input_preproc"][0]["params"]["color_space"],
      "RGB");
}

TEST(LabelLines, AreInTheOrderOfTheOutputs) {
  ModelInfo info;
  info.labels = {"neutral", "happiness"};
  EXPECT_EQ(to_label_lines(info), "neutral\nhappiness\n");
  info.labels.push_back("two\nlines");
  EXPECT_THROW(to_label_lines(info), std::runtime_error);
}

}  // namespace
}  // namespace fer
