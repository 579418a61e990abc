#include "model/stored_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "error_of.h"
#include "model/classifier.h"
#include "model/safetensors.h"
#include "scoped.h"
#include "unit/model/plain_models.h"

namespace fer {
namespace {

using test::plain_model;
using testing::AllOf;
using testing::HasSubstr;

class StoredModels : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "model.fer"; }

  /// What the reader says against a model with one value changed.
  std::string refusal(const std::string& tensor, float value) const {
    StoredModel model = plain_model();
    model.weights.at(tensor).values.back() = value;
    write_stored_model(path(), model);
    return test::error_of([&] { read_stored_model(path()); });
  }

  test::ScopedFolder folder_;
};

TEST_F(StoredModels, ComeBackAsTheyWereWritten) {
  StoredModel model = plain_model();
  write_stored_model(path(), model);
  EXPECT_EQ(model.info.version, version_of(model));
  const StoredModel read = read_stored_model(path());
  EXPECT_EQ(read.info.version, model.info.version);
  ASSERT_EQ(read.weights.size(), model.weights.size());
  for (const auto& [name, tensor] : model.weights) {
    EXPECT_EQ(read.weights.at(name).shape, tensor.shape) << name;
    EXPECT_EQ(read.weights.at(name).values, tensor.values) << name;
  }
}

TEST_F(StoredModels, RoundTheirKernelsInBf16AndNothingElse) {
  StoredModel model = plain_model();
  write_stored_model(path(), model, /*bf16=*/true);
  const StoredModel read = read_stored_model(path());
  for (const auto& [name, tensor] : model.weights) {
    const auto& values = read.weights.at(name).values;
    if (tensor.shape.size() == 1) {
      EXPECT_EQ(values, tensor.values) << name;
      continue;
    }
    EXPECT_NE(values, tensor.values) << name;
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_LE(std::abs(values[i] - tensor.values[i]), std::abs(tensor.values[i]) / 256) << name;
  }
}

TEST_F(StoredModels, AreReadFromHalfPrecision) {
  StoredModel model = plain_model();
  write_stored_model(path(), model);
  std::map<std::string, std::string> metadata;
  std::map<std::string, TensorView> views;
  std::map<std::string, std::vector<std::uint16_t>> halves;
  {
    const SafetensorsFile file(path());
    metadata = {{"format", "gst-fer/1"}, {"model", file.meta("model")}};
  }
  for (const auto& [name, tensor] : model.weights) {
    auto& bits = halves[name];
    bits.assign(tensor.values.size(), 0x3800);  // 0.5
    views[name] = {DType::kF16, tensor.shape, bits.data(), bits.size() * 2};
  }
  write_safetensors(path(), views, metadata);
  for (const auto& [name, tensor] : read_stored_model(path()).weights)
    EXPECT_THAT(tensor.values, testing::Each(0.5f)) << name;
}

TEST_F(StoredModels, AreRefusedWithNumbersThatNoTrainingGives) {
  EXPECT_THAT(refusal("stem.weight", std::numeric_limits<float>::quiet_NaN()),
              AllOf(HasSubstr("model.fer"), HasSubstr("stem.weight"), HasSubstr("NaN")));
  EXPECT_THAT(refusal("head.bias", -std::numeric_limits<float>::infinity()),
              AllOf(HasSubstr("head.bias"), HasSubstr("infinity")));
  EXPECT_THAT(refusal("head.weight", -2e10f), HasSubstr("10^10"));
  EXPECT_THAT(refusal("stem_bn.running_var", -1e-3f), HasSubstr("negative variance"));
}

TEST_F(StoredModels, AreRefusedWithAnotherShapeThanTheirNetwork) {
  StoredModel model = plain_model();
  model.weights.at("head.bias").shape = {2, 4};
  write_stored_model(path(), model);
  EXPECT_THAT(test::error_of([&] { read_stored_model(path()); }),
              AllOf(HasSubstr("head.bias"), HasSubstr("another shape")));
  model = plain_model();
  model.weights.erase("stem.weight");
  write_stored_model(path(), model);
  EXPECT_THAT(test::error_of([&] { read_stored_model(path()); }),
              AllOf(HasSubstr("stem.weight"), HasSubstr("found none")));
}

TEST_F(StoredModels, AreServedWithTheirHead) {
  StoredModel model = plain_model();
  auto& weight = model.weights.at("head.weight").values;
  std::fill(weight.begin(), weight.end(), 0.f);
  write_stored_model(path(), model);
  const auto classifier = Classifier::open(path(), Precision::kFp32);
  const std::vector<std::uint8_t> crops(2 * classifier->crop_bytes(), 100);
  const auto logits = classifier->logits(crops);
  const auto& bias = model.weights.at("head.bias").values;
  ASSERT_EQ(logits.size(), 2 * bias.size());
  for (std::size_t i = 0; i < logits.size(); ++i)
    EXPECT_EQ(logits[i], bias[i % bias.size()]) << "no feature counts";
}

}  // namespace
}  // namespace fer
