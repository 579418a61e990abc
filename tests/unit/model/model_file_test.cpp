#include "model/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

#include "error_of.h"
#include "model/network_layout.h"
#include "model/safetensors.h"
#include "model/tensor_view.h"
#include "scoped.h"
#include "unit/model/model_support.h"

namespace fer {
namespace {

using nlohmann::json;
using test::RandomModel;
using testing::HasSubstr;

class ModelFiles : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "model.fer"; }

  /// What the reader says against the file; empty where it takes it.
  std::string refusal() const {
    try {
      read_model(path());
      return {};
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("model.fer"));
      return error.what();
    }
  }

  /// Writes the model's weights with the metadata that `change` leaves of its description, and
  /// without a checksum, as another program might.
  template <typename Change>
  void write_changed(const ModelFile& model, Change&& change) const {
    ModelFile copy = model;
    write_model(path(), copy);
    json description;
    {
      const SafetensorsFile file(path());
      description = json::parse(file.meta("model"));
    }
    change(description);
    write_weights(model.weights, {{"format", "gst-fer/1"}, {"model", description.dump()}});
  }

  void write_weights(const std::map<std::string, torch::Tensor>& weights,
                     const std::map<std::string, std::string>& metadata) const {
    std::map<std::string, TensorView> views;
    for (const auto& [name, tensor] : weights) views[name] = view_of(tensor);
    write_safetensors(path(), views, metadata);
  }

  test::ScopedFolder folder_;
};

TEST_F(ModelFiles, ComeBackAsTheyWereWritten) {
  RandomModel random;
  ModelFile& model = random.file();
  model.info.mean = 0.4f;
  model.info.stddev = 0.3f;
  model.info.align_template = "arcface";
  model.info.prior[2] = 0.5f;
  model.info.mirror = true;
  model.info.parent = "0123456789ab";
  model.info.provenance = {{"command", "fer train"}, {"seed", 7}};
  model.info.thresholds = {0.8, 0.9};
  write_model(path(), model);
  EXPECT_EQ(model.info.version.size(), 12u);

  const ModelFile read = read_model(path());
  EXPECT_EQ(json(read.info.network), json(model.info.network));
  EXPECT_EQ(read.info.labels, model.info.labels);
  EXPECT_EQ(read.info.mean, 0.4f);
  EXPECT_EQ(read.info.stddev, 0.3f);
  EXPECT_EQ(read.info.align_template, "arcface");
  EXPECT_EQ(read.info.prior, model.info.prior);
  EXPECT_TRUE(read.info.mirror);
  EXPECT_EQ(read.info.version, model.info.version);
  EXPECT_EQ(read.info.parent, "0123456789ab");
  EXPECT_EQ(read.info.provenance, model.info.provenance);
  EXPECT_EQ(read.info.thresholds, model.info.thresholds);
  ASSERT_EQ(read.weights.size(), model.weights.size());
  for (const auto& [name, tensor] : model.weights) {
    EXPECT_TRUE(read.weights.at(name).equal(tensor)) << name;
  }
  EXPECT_EQ(read_model_info(path()).version, model.info.version);
}

TEST_F(ModelFiles, HalveTheirKernelsInBf16) {
  RandomModel random;
  random.write(path());
  const auto full = std::filesystem::file_size(path());
  random.write(path(), /*bf16=*/true);
  EXPECT_LT(std::filesystem::file_size(path()), full * 3 / 4);
  const ModelFile read = read_model(path());
  for (const auto& [name, tensor] : random.file().weights) {
    const torch::Tensor& back = read.weights.at(name);
    EXPECT_EQ(back.scalar_type(), torch::kFloat32);
    const double error =
        ((back - tensor).abs() / tensor.abs().clamp_min(1e-6)).max().item<double>();
    EXPECT_LE(error, tensor.dim() > 1 ? 1. / 256 : 0.) << name;
  }
}

TEST_F(ModelFiles, AreNamedByTheirWeights) {
  RandomModel one(test::tiny_config(), 1), other(test::tiny_config(), 2);
  const std::string version = one.write(path());
  EXPECT_EQ(one.write(path()), version);
  EXPECT_NE(other.write(path()), version);
}

TEST_F(ModelFiles, WithAnyBitOfTheirWeightsFlippedAreRefused) {
  RandomModel random;
  random.write(path());
  std::ifstream in(path(), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  ASSERT_EQ(refusal(), "");
  for (const std::size_t from_end : {1ul, 2ul, 100ul, 2001ul}) {
    std::string bytes = whole;
    bytes[bytes.size() - from_end] ^= 1;
    folder_.write("model.fer", bytes);
    EXPECT_NE(refusal(), "") << from_end;
  }
}

TEST_F(ModelFiles, NeedNoChecksum) {
  RandomModel random;
  write_changed(random.file(), [](json&) {});
  EXPECT_EQ(refusal(), "");
}

TEST_F(ModelFiles, WithWrongTensorsAreRefused) {
  RandomModel random;
  const auto with = [&](const std::string& name, const torch::Tensor& tensor) {
    ModelFile changed{random.info(), random.file().weights};
    if (tensor.defined()) {
      changed.weights[name] = tensor;
    } else {
      changed.weights.erase(name);
    }
    write_changed(changed, [](json&) {});
    return refusal();
  };
  EXPECT_THAT(with("head.bias", {}), HasSubstr("\"head.bias\", found none"));
  EXPECT_THAT(with("head.bias", torch::zeros({9})), HasSubstr("another shape"));
  EXPECT_THAT(with("head.bias", torch::zeros({8, 1})), HasSubstr("another shape"));
  EXPECT_THAT(with("stem_bn.running_var", torch::full({8}, -1.f)), HasSubstr("negative variance"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(with("head.bias", torch::full({8}, nan)), HasSubstr("NaN"));
  EXPECT_THAT(with("stem.weight", torch::full({8, 1, 3, 3}, infinity)), HasSubstr("infinity"));
  // Extra tensors are another version's business.
  EXPECT_EQ(with("valence.weight", torch::zeros({2, 16})), "");
}

TEST_F(ModelFiles, OfWholeNumbersAreRefused) {
  RandomModel random;
  write_changed(random.file(), [](json&) {});
  std::map<std::string, torch::Tensor> weights = random.file().weights;
  weights["head.bias"] = torch::zeros({8}, torch::kInt64);
  std::string description;
  {
    const SafetensorsFile file(path());
    description = file.meta("model");
  }
  write_weights(weights, {{"format", "gst-fer/1"}, {"model", description}});
  EXPECT_THAT(refusal(), HasSubstr("another shape or type"));
}

TEST_F(ModelFiles, OfOthersAreRefused) {
  const float value = 1;
  const std::map<std::string, TensorView> tensors{{"t", {DType::kF32, {1}, &value, 4}}};
  write_safetensors(path(), tensors, {});
  EXPECT_THAT(refusal(), HasSubstr("without a format"));
  write_safetensors(path(), tensors, {{"format", "pt"}});
  EXPECT_THAT(refusal(), HasSubstr("of format \"pt\""));
  write_safetensors(path(), tensors, {{"format", "gst-fer/1"}});
  EXPECT_THAT(refusal(), HasSubstr("\"model\""));
  write_safetensors(path(), tensors, {{"format", "gst-fer/1"}, {"model", "[1,"}});
  EXPECT_THAT(refusal(), HasSubstr("not a JSON object"));
  write_safetensors(path(), tensors,
                    {{"format", "gst-fer/1"}, {"model", std::string(1'000'000, '[')}});
  EXPECT_THAT(refusal(), HasSubstr("not a JSON object"));
  folder_.write("model.fer", "PK\3\4 a zip, as torch.save writes");
  EXPECT_THAT(refusal(), HasSubstr("another kind of file"));
}

TEST_F(ModelFiles, WhoseDescriptionLiesAreRefused) {
  RandomModel random;
  const auto with = [&](auto&& change) {
    write_changed(random.file(), change);
    return refusal();
  };
  EXPECT_THAT(with([](json& d) { d.erase("mean"); }), HasSubstr("mean"));
  EXPECT_THAT(with([](json& d) { d["labels"] = "happy"; }), HasSubstr("metadata is broken"));
  EXPECT_THAT(with([](json& d) { d["labels"] = {"a", "b"}; }), HasSubstr("found 2"));
  EXPECT_THAT(with([](json& d) { d["labels"][3] = ""; }), HasSubstr("label is empty"));
  EXPECT_THAT(with([](json& d) { d["prior"][0] = 0; }), HasSubstr("prior"));
  EXPECT_THAT(with([](json& d) { d["prior"].erase(0); }), HasSubstr("and 7"));
  EXPECT_THAT(with([](json& d) { d["std"] = 0; }), HasSubstr("std"));
  EXPECT_THAT(with([](json& d) { d["std"] = 1e300; }), HasSubstr("std"));
  EXPECT_THAT(with([](json& d) { d["align_template"] = "eyes"; }), HasSubstr("\"eyes\""));
  EXPECT_THAT(with([](json& d) { d["network"]["widths"] = {8, 0}; }), HasSubstr("widths"));
  EXPECT_THAT(with([](json& d) { d["network"]["classes"] = 7; }), HasSubstr("expected 7 labels"));
  EXPECT_THAT(with([](json& d) { d["network"]["stem_width"] = 16; }), HasSubstr("found none"));
}

TEST_F(ModelFiles, DoNotMakeUsAskForMemoryThatTheyDoNotFill) {
  RandomModel random;
  // A network of a hundred gigabytes, described by a file of a few kilobytes.
  write_changed(random.file(), [](json& description) {
    description["network"]["widths"] = std::vector<int>(8, 4096);
    description["network"]["depths"] = std::vector<int>(8, 64);
    description["network"]["strides"] = std::vector<int>{4, 4, 2, 1, 1, 1, 1, 1};
  });
  EXPECT_THAT(refusal(), HasSubstr("another shape"));
  write_changed(random.file(), [](json& description) {
    description["network"]["input_size"] = 512;
    description["network"]["stem_width"] = 1024;
  });
  EXPECT_THAT(refusal(), HasSubstr("feature maps"));
}

TEST_F(ModelFiles, HoldStartsWithoutAHeadForTrainingAlone) {
  RandomModel model;
  ModelFile start = model.file();
  start.info.labels.clear();
  start.info.prior.clear();
  std::erase_if(start.weights, [](const auto& item) { return is_of_head(item.first); });
  EXPECT_EQ(start.weights.size(), model.file().weights.size() - 2);
  write_model(path(), start);
  EXPECT_TRUE(read_model_info(path()).labels.empty());
  EXPECT_EQ(read_start(path()).weights.size(), start.weights.size());
  EXPECT_THAT(refusal(),
              testing::AllOf(HasSubstr("without a head"), HasSubstr("fer train --init")));

  // A model is a start too, and all of it is needed.
  model.write(path());
  EXPECT_EQ(read_start(path()).weights.size(), model.file().weights.size());
  start.info = model.file().info;
  write_model(path(), start);
  EXPECT_THAT(test::error_of([&] { read_start(path()); }), HasSubstr("head."));
}

}  // namespace
}  // namespace fer
