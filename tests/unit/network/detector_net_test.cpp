#include "network/detector_net.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "error_of.h"
#include "model/file_formats.h"
#include "model/safetensors.h"
#include "network/detector_file.h"
#include "network/folded_detector.h"
#include "network/model_file.h"
#include "scoped.h"
#include "vision/detection_grid.h"

namespace fer {
namespace {

using nlohmann::json;
using test::error_of;
using test::ScopedFolder;
using testing::AllOf;
using testing::HasSubstr;

DetectorNetConfig small() {
  DetectorNetConfig config;
  config.stem_width = 6;
  config.stem_kernel = 5;
  config.widths = {8, 10, 12};
  config.depths = {1, 2, 1};
  return config;
}

/// The same, which sees more of small faces.
DetectorNetConfig fine() {
  DetectorNetConfig config = small();
  config.stem_stride = 2;
  config.depths = {3, 2, 1};
  return config;
}

std::map<std::string, torch::Tensor> weights_of(const DetectorNet& network) {
  std::map<std::string, torch::Tensor> weights;
  for (const auto& item : network->named_parameters()) weights[item.key()] = item.value();
  for (const auto& item : network->named_buffers())
    if (item.value().is_floating_point()) weights[item.key()] = item.value();
  return weights;
}

/// A network whose statistics are no zeros and ones.
DetectorNet lived_in(const DetectorNetConfig& config) {
  torch::manual_seed(7);
  DetectorNet network(config);
  torch::NoGradGuard no_grad;
  for (auto& item : network->named_buffers()) {
    if (item.key().ends_with("running_mean")) item.value().normal_(0, 0.2);
    if (item.key().ends_with("running_var")) item.value().uniform_(0.5, 2);
  }
  for (auto& item : network->named_parameters())
    if (item.key().ends_with("bn.weight")) item.value().uniform_(0.5, 1.5);
  network->eval();
  return network;
}

TEST(DetectorNet, TheDefaultIsSmallEnough) {
  const DetectorNetConfig config;
  const std::int64_t parameters = detector_parameters(config);
  EXPECT_GE(parameters, 60000);
  EXPECT_LE(parameters, 95000);  // 400 kB as ONNX
  EXPECT_LT(detector_macs(config, 640, 360), 100e6);
  // A quarter of the pixels, a quarter of the work; sides are rounded up.
  EXPECT_EQ(detector_macs(config, 320, 192) * 4, detector_macs(config, 640, 384));
  EXPECT_EQ(detector_macs(config, 320, 180), detector_macs(config, 320, 192));
}

TEST(DetectorNet, CountsAreThoseOfTheModule) {
  for (const DetectorNetConfig& config : {DetectorNetConfig(), small(), fine()}) {
    const DetectorNet network(config);
    std::int64_t parameters = 0;
    for (const auto& parameter : network->parameters()) parameters += parameter.numel();
    EXPECT_EQ(detector_parameters(config), parameters);
    std::map<std::string, std::vector<std::int64_t>> shapes;
    for (const auto& [name, tensor] : weights_of(network)) shapes[name] = tensor.sizes().vec();
    EXPECT_EQ(detector_layout(config), shapes);
  }
}

TEST(DetectorNet, HasAMapForEveryStride) {
  torch::NoGradGuard no_grad;
  DetectorNet network(small());
  network->eval();
  const auto maps = network(torch::rand({2, 1, 64, 96}) * 255);
  ASSERT_EQ(maps.size(), 3u);
  EXPECT_EQ(maps[0].sizes(), (std::vector<std::int64_t>{2, kCellValues, 8, 12}));
  EXPECT_EQ(maps[1].sizes(), (std::vector<std::int64_t>{2, kCellValues, 4, 6}));
  EXPECT_EQ(maps[2].sizes(), (std::vector<std::int64_t>{2, kCellValues, 2, 3}));
  // Before it has learned, faces are rare.
  for (const auto& map : maps)
    EXPECT_LT(torch::sigmoid(map.select(1, 0)).max().item<double>(), 0.1);
}

torch::Tensor run(const FoldedConv& conv, const torch::Tensor& x) {
  const auto weight =
      torch::tensor(conv.weight).view({conv.out, conv.in / conv.groups, conv.kernel, conv.kernel});
  return torch::conv2d(x, weight, torch::tensor(conv.bias), conv.stride, conv.kernel / 2, 1,
                       conv.groups);
}

void expect_folded_it_computes_the_same(const DetectorNetConfig& config) {
  torch::NoGradGuard no_grad;
  DetectorNet network = lived_in(config);
  DetectorFile file;
  file.info.network = config;
  file.info.operating_score = 0.4;
  file.weights = weights_of(network);
  const FoldedDetector folded = fold(file);

  const torch::Tensor pixels = torch::randint(0, 256, {1, 1, 64, 64}).to(torch::kFloat);
  const auto block = [&](const std::string& name, torch::Tensor x) {
    x = torch::relu(run(folded.conv(name + ".depthwise"), x));
    return torch::relu(run(folded.conv(name + ".pointwise"), x));
  };
  torch::Tensor x = torch::relu(run(folded.conv("stem"), pixels));
  std::vector<torch::Tensor> features;
  for (std::size_t level = 0; level < 3; ++level) {
    for (int i = 0; i < config.depths[level]; ++i)
      x = block(detector_block(kCellStrides[level], i), x);
    features.push_back(x);
  }
  const auto enlarged = [](const torch::Tensor& t) {
    return torch::upsample_nearest2d(t, {t.size(2) * 2, t.size(3) * 2});
  };
  features[2] = run(folded.conv("lateral32"), features[2]);
  features[1] = run(folded.conv("lateral16"), features[1]) + enlarged(features[2]);
  features[0] = features[0] + enlarged(features[1]);
  const auto maps = network(pixels);
  const double shift = std::log(0.6 / 0.4) - std::log(0.4 / 0.6);
  for (std::size_t level = 0; level < 3; ++level) {
    const std::string stride = std::to_string(kCellStrides[level]);
    torch::Tensor out = run(folded.conv("out" + stride), block("head" + stride, features[level]));
    torch::Tensor wanted = maps[level].clone();
    wanted.select(1, 0) += shift;
    EXPECT_TRUE(torch::allclose(out, wanted, 1e-3, 1e-3)) << level;
  }
}

TEST(DetectorNet, FoldedItComputesTheSame) {
  expect_folded_it_computes_the_same(small());
}

TEST(DetectorNet, FoldedItComputesTheSameBehindAFineStem) {
  expect_folded_it_computes_the_same(fine());
}

class DetectorFileTest : public testing::Test {
 protected:
  DetectorFileTest() {
    file_.info.network = small();
    file_.info.operating_score = 0.4;
    file_.info.provenance = {{"seed", 3}};
    file_.weights = weights_of(lived_in(small()));
    write_detector(path_, file_);
  }

  using Tensors = std::map<std::string, TensorView>;
  using Metadata = std::map<std::string, std::string>;
  std::string complaint(const std::function<void(Tensors&, Metadata&)>& change) const {
    const auto broken = folder_.path() / "broken.fer";
    {
      const SafetensorsFile file(path_);
      Tensors tensors = file.tensors();
      Metadata metadata = file.metadata();
      change(tensors, metadata);
      write_safetensors(broken, tensors, metadata);
    }
    return error_of([&] { read_detector(broken); });
  }

  /// As other programs might write it.
  static void without_checksum(Metadata& metadata) {
    metadata["format"] = "gst-fer-detector/1";
    metadata.erase("checksum");
  }

  const ScopedFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "detector.fer";
  DetectorFile file_;
};

TEST_F(DetectorFileTest, GivesBackWhatWasWritten) {
  const DetectorFile read = read_detector(path_);
  EXPECT_EQ(read.info.network, file_.info.network);
  EXPECT_EQ(read.info.operating_score, 0.4);
  EXPECT_EQ(read.info.version, file_.info.version);
  EXPECT_EQ(read.info.version.size(), 12u);
  EXPECT_EQ(read.info.provenance, file_.info.provenance);
  for (const auto& [name, tensor] : file_.weights)
    EXPECT_TRUE(torch::equal(read.weights.at(name), tensor)) << name;
  EXPECT_EQ(read_detector_info(path_).version, file_.info.version);
  EXPECT_TRUE(is_detector_file(path_));
  EXPECT_FALSE(is_detector_file(folder_.path() / "none"));
  EXPECT_FALSE(is_detector_file(folder_.write("text", "no tensors here")));
}

TEST_F(DetectorFileTest, RefusesWhatIsBroken) {
  EXPECT_EQ(complaint([](Tensors&, Metadata&) {}), "");
  EXPECT_THAT(complaint([](Tensors& t, Metadata& m) {
                without_checksum(m);
                t.erase("stem.weight");
              }),
              AllOf(HasSubstr("broken.fer"), HasSubstr("\"stem.weight\"")));
  EXPECT_THAT(complaint([](Tensors& t, Metadata& m) {
                without_checksum(m);
                t["stem.weight"] = t["head8.depthwise.weight"];
              }),
              HasSubstr("another shape"));
  EXPECT_THAT(complaint([](Tensors&, Metadata& m) { m["checksum"] = "0"; }), HasSubstr("checksum"));
  EXPECT_THAT(complaint([](Tensors&, Metadata& m) { m["detector"] += " "; }),
              HasSubstr("checksum"));
  EXPECT_THAT(complaint([](Tensors&, Metadata& m) { m.erase("checksum"); }), HasSubstr("checksum"));
  const auto with = [&](const char* key, const json& value) {
    return complaint([&](Tensors&, Metadata& m) {
      json detector = json::parse(m["detector"]);
      detector[key] = value;
      m["detector"] = detector.dump();
      without_checksum(m);
    });
  };
  EXPECT_THAT(with("kind", "cat-detector"), AllOf(HasSubstr("broken.fer"), HasSubstr("kind")));
  EXPECT_THAT(with("operating_score", 1.5), HasSubstr("operating_score"));
  EXPECT_THAT(with("network", json::object()), HasSubstr("metadata is broken"));
  json huge = file_.info.network;
  huge["widths"] = {8, 10, 100000};
  EXPECT_THAT(with("network", huge), AllOf(HasSubstr("broken.fer"), HasSubstr("widths")));
  huge["widths"] = {8, 10, 12, 14};
  EXPECT_THAT(with("network", huge), HasSubstr("three stages"));
  json fine = file_.info.network;
  fine["stem_stride"] = 3;
  EXPECT_THAT(with("network", fine), HasSubstr("stem_stride"));
  fine["stem_stride"] = 2;
  EXPECT_THAT(with("network", fine), AllOf(HasSubstr("broken.fer"), HasSubstr("depths")));
  // As files were before there was a choice.
  fine.erase("stem_stride");
  EXPECT_EQ(with("network", fine), "");
}

TEST_F(DetectorFileTest, IsNoExpressionModelNorTheOtherWayRound) {
  EXPECT_THAT(
      error_of([&] { read_model(path_); }),
      AllOf(HasSubstr("detector.fer: expected a model file"), HasSubstr("a face detector")));
  EXPECT_THAT(complaint([](Tensors&, Metadata& m) { m["format"] = kModelFormat; }),
              AllOf(HasSubstr("expected a face detector"), HasSubstr("an expression model")));
}

}  // namespace
}  // namespace fer
