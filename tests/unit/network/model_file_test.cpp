#include "network/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

#include "content.h"
#include "error_of.h"
#include "model/network_layout.h"
#include "model/safetensors.h"
#include "model/stored_weights.h"
#include "network/tensor_view.h"
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
  model.info.calibration = {1.5, {0.1f, -0.2f, 0, 0, 0.3f, 0, 0, 0}};
  model.info.prior_correction = 0.25;
  model.info.operating_points.assign(8, 0.5f);
  model.info.operating_points[3] = std::numeric_limits<float>::infinity();
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
  EXPECT_EQ(read.info.calibration, model.info.calibration);
  EXPECT_EQ(read.info.prior_correction, 0.25);
  EXPECT_EQ(read.info.operating_points, model.info.operating_points);
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

TEST_F(ModelFiles, WithAnyByteOfTheirDescriptionChangedAreRefused) {
  RandomModel random;
  random.info().calibration.temperature = 1.5;
  random.write(path());
  const std::string whole = test::content(path());
  std::uint64_t header = 0;
  std::memcpy(&header, whole.data(), 8);
  // The first bytes one by one, then each 23rd: they are many, and there are no kinds among them.
  for (std::size_t at = 0; at < 8 + header; at += at < 64 ? 1 : 23) {
    std::string bytes = whole;
    bytes[at] ^= 1;
    folder_.write("model.fer", bytes);
    EXPECT_NE(test::error_of([&] { read_model_info(path()); }), "")
        << "byte " << at << " of " << 8 + header;
  }
  EXPECT_NE(refusal(), "");
}

TEST_F(ModelFiles, WhoseLabelsWereSwappedAreRefused) {
  RandomModel random;
  random.write(path());
  std::map<std::string, std::string> metadata;
  {
    const SafetensorsFile file(path());
    metadata = file.metadata();
  }
  json description = json::parse(metadata["model"]);
  std::swap(description["labels"][0], description["labels"][1]);
  metadata["model"] = description.dump();
  write_weights(random.file().weights, metadata);
  EXPECT_THAT(refusal(), HasSubstr("checksum differs"));
  metadata.erase("checksum");
  write_weights(random.file().weights, metadata);
  EXPECT_THAT(refusal(), HasSubstr("\"checksum\", found none"));
}

TEST_F(ModelFiles, OfTheFirstFormatAreRead) {
  RandomModel random;
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : random.file().weights) views[name] = view_of(tensor);
  const std::string checksum = content_hash(views);
  write_changed(random.file(), [](json&) {});
  EXPECT_EQ(read_model(path()).info.version, checksum.substr(0, 12))
      << "programs that know nothing of versions may write what they like";
  std::string description;
  {
    const SafetensorsFile file(path());
    description = file.meta("model");
  }
  json claim = json::parse(description);
  claim["version"] = checksum.substr(0, 12);
  const auto with = [&](const json& text, const std::string& sum) {
    write_weights(random.file().weights,
                  {{"format", "gst-fer/1"}, {"model", text.dump()}, {"checksum", sum}});
    return refusal();
  };
  EXPECT_EQ(with(claim, checksum), "");
  const ModelFile read = read_model(path());
  EXPECT_EQ(read.info.version, checksum.substr(0, 12));
  EXPECT_TRUE(read.info.calibration.is_identity());
  EXPECT_EQ(read.info.prior_correction, 0);
  EXPECT_TRUE(read.info.operating_points.empty());
  EXPECT_THAT(with(claim, "0123456789abcdef"), HasSubstr("checksum differs"));
  claim["version"] = "0123456789ab";
  EXPECT_THAT(with(claim, checksum), HasSubstr("expected version " + checksum.substr(0, 12)));
}

TEST_F(ModelFiles, ThatClaimAnotherVersionAreRefused) {
  RandomModel random;
  random.write(path());
  std::map<std::string, std::string> metadata;
  {
    const SafetensorsFile file(path());
    metadata = file.metadata();
  }
  json description = json::parse(metadata["model"]);
  description["version"] = "0123456789ab";
  metadata["model"] = description.dump();
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : random.file().weights) views[name] = view_of(tensor);
  write_safetensors(path(), views, with_checksum(metadata, views));
  EXPECT_THAT(refusal(), HasSubstr("found \"0123456789ab\""));
}

TEST_F(ModelFiles, AreNamedByAllThatDecidesTheirAnswers) {
  RandomModel random;
  const std::string version = random.write(path());
  EXPECT_EQ(version_of(random.file()), version);
  const auto changed = [&](auto&& change) {
    ModelFile model = random.file();
    change(model.info);
    return version_of(model) != version;
  };
  EXPECT_TRUE(changed([](ModelInfo& info) { std::swap(info.labels[0], info.labels[1]); }));
  EXPECT_TRUE(changed([](ModelInfo& info) { info.mean = 0.25f; }));
  EXPECT_TRUE(changed([](ModelInfo& info) { info.mirror = true; }));
  EXPECT_TRUE(changed([](ModelInfo& info) { info.calibration.temperature = 2; }));
  EXPECT_TRUE(changed([](ModelInfo& info) { info.prior_correction = 0.5; }));
  EXPECT_FALSE(changed([](ModelInfo& info) { info.parent = "0123456789ab"; }));
  EXPECT_FALSE(changed([](ModelInfo& info) { info.provenance = {{"seed", 3}}; }));
  EXPECT_FALSE(changed([](ModelInfo& info) { info.thresholds = {0.9}; }));
}

TEST_F(ModelFiles, SayWhetherTheirKernelsAreInBf16) {
  RandomModel random;
  random.write(path());
  EXPECT_FALSE(is_stored_in_bf16(path()));
  random.write(path(), /*bf16=*/true);
  EXPECT_TRUE(is_stored_in_bf16(path()));
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
  EXPECT_THAT(with("stem.weight", torch::full({8, 1, 3, 3}, 3e38f)), HasSubstr("beyond 10^10"));
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
  EXPECT_THAT(with([](json& d) { d["labels"][3] = d["labels"][4]; }),
              HasSubstr("two labels are called \"anger\""));
  EXPECT_THAT(with([](json& d) { d["labels"][3] = std::string(65, 'x'); }),
              HasSubstr("at most 64 bytes"));
  EXPECT_THAT(with([](json& d) { d["labels"][3] = "two\nlines"; }),
              HasSubstr("control characters"));
  EXPECT_THAT(with([](json& d) { d["labels"][3] = std::string(2'000'000, 'x'); }),
              HasSubstr("expected at most 1048576"));
  EXPECT_THAT(with([](json& d) { d["network"]["name"] = std::string(65, 'x'); }),
              HasSubstr("network.name"));
  EXPECT_THAT(with([](json& d) { d["parent"] = std::string(65, 'x'); }), HasSubstr("parent"));
  EXPECT_THAT(with([](json& d) { d["prior"][0] = 0; }), HasSubstr("prior"));
  const auto calibrated = [&](const json& temperature, const json& bias) {
    return with([&](json& d) {
      d["calibration"] = {{"temperature", temperature}, {"bias", bias}};
    });
  };
  const json none = json::array();
  EXPECT_EQ(calibrated(2, none), "");
  EXPECT_EQ(calibrated(2, json(std::vector<float>(8))), "");
  EXPECT_THAT(calibrated(0, none), HasSubstr("calibration: expected"));
  EXPECT_THAT(calibrated(-1, none), HasSubstr("calibration: expected"));
  EXPECT_THAT(calibrated(nullptr, none), HasSubstr("metadata is broken"));
  EXPECT_THAT(calibrated(2, json(std::vector<float>(7))), HasSubstr("for each label"));
  EXPECT_THAT(calibrated(2, json(std::vector<float>(8, 1e30f))),
              HasSubstr("calibration: expected"));
  EXPECT_THAT(with([](json& d) { d["prior_correction"] = 1.5; }), HasSubstr("prior_correction"));
  EXPECT_THAT(with([](json& d) {
                d["operating_points"] = {0.5, nullptr};
              }),
              HasSubstr("operating_points"));
  EXPECT_THAT(with([](json& d) { d["operating_points"] = std::vector<float>(8, 1.5f); }),
              HasSubstr("operating_points"));
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
